// Up to which size patch files are kept in the database, usually; rustine.yaml can say another (`keep-patches`).

export const KEEP_PATCHES_BYTES = 100 * 1024 * 1024;
