// What the lease store needs of the operating system, so that a test can stand between them.

import { bootId } from '../linux/boot-id.ts';
import { deviceExists } from '../linux/device.ts';
import {
	closeFile,
	linkFile,
	listDirectory,
	makeDirectory,
	makePrivate,
	openFile,
	readAt,
	statusOf,
	unlinkFile,
	writeAt,
} from '../linux/files.ts';
import { lock } from '../linux/flock.ts';
import { uptime } from '../linux/uptime.ts';
import type { LeaseFile } from './lease-file.ts';

const calls = {
	bootId,
	closeFile,
	deviceExists,
	linkFile,
	listDirectory,
	/** flock(2), exclusive. */
	lock,
	makeDirectory,
	makePrivate,
	openFile,
	readAt,
	statusOf,
	unlinkFile,
	uptime,
	writeAt,
};

/** The system calls, and what one process remembers. */
export interface System extends Readonly<typeof calls> {
	/** The leases that this process keeps locked until its end, by path: flock would wait for itself. */
	readonly held: Map<string, LeaseFile>;
}

/** The system calls of this process. */
export const kernel: System = { ...calls, held: new Map() };
