// Properties draw the same cases in every run; RUSTINE_SEED=<number> draws others.
import fc from 'fast-check';

const SEED = 20_170_130;

fc.configureGlobal({ seed: Number(process.env.RUSTINE_SEED ?? SEED) });
