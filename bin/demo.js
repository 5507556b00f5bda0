#!/usr/bin/env node
// The demonstration: `npm run demo`.
import { launch } from './launch.js';

await launch('cli/demo');
