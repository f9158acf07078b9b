// What the lease store needs of the operating system, so that a test can stand between them.

import {
	closeSync,
	fstatSync,
	linkSync,
	lstatSync,
	mkdirSync,
	openSync,
	readdirSync,
	readSync,
	unlinkSync,
	writeSync,
} from 'node:fs';
import { lock } from '../linux/flock.ts';
import type { LeaseFile } from './lease-file.ts';

const calls = {
	closeSync,
	fstatSync,
	linkSync,
	lstatSync,
	/** flock(2), exclusive. */
	lock,
	mkdirSync,
	openSync,
	readdirSync,
	readSync,
	unlinkSync,
	writeSync,
};

/** The system calls, and what one process remembers. */
export interface System extends Readonly<typeof calls> {
	/** The leases that this process keeps locked until its end, by path: flock would wait for itself. */
	readonly held: Map<string, LeaseFile>;
}

/** The system calls of this process. */
export const kernel: System = { ...calls, held: new Map() };
