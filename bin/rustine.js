#!/usr/bin/env node
// The command `rustine`.
import { launch } from './launch.js';

await launch('cli/main');
