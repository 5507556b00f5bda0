// The usual limit of one SQL script; rustine.yaml can say another (`script-timeout`).

export const SCRIPT_TIMEOUT_MS = 300_000;
