// A network's directory of host-local on disk: locked, read, written.

import {
	closeSync,
	constants,
	existsSync,
	fstatSync,
	linkSync,
	mkdirSync,
	openSync,
	readdirSync,
	readSync,
	rmSync,
	writeFileSync,
} from 'node:fs';
import type { Attachment } from '../cni/request.ts';
import {
	addressOfFile,
	decodeReservation,
	encodeReservation,
	isBookkeeping,
	lastReservedFile,
	LOCK_FILE,
	type Reservation,
} from '../ipam/host-local.ts';
import { storeError } from '../ipam/lease-error.ts';
import { systemCode } from '../linux/errno.ts';
import { lock } from '../linux/flock.ts';
import { CommandError } from './command.ts';

const TEMPORARY = '.mesos-overlay.new';

/** Bytes; a file of host-local is shorter. */
const LONGEST = 4096;

/** An address that host-local has given. */
export interface ReservedAddress extends Reservation {
	readonly address: string;
	readonly path: string;
	/** When it was given: milliseconds since the epoch. */
	readonly time: number;
}

/** A file that says nothing: it is empty, as host-local leaves it when it is killed, or cut. */
export interface BrokenFile {
	readonly path: string;
	/** What its name says; undefined when that is no address. */
	readonly address: string | undefined;
	readonly problem: string;
}

export interface Contents {
	readonly reserved: readonly ReservedAddress[];
	readonly broken: readonly BrokenFile[];
}

/**
 * Holds host-local's own lock during a call. Waits for it until `deadline` (ms of performance.now()). A lock that is not
 * there is made, or done without, or the directory is not what it was. Throws CommandError, LeaseError.
 */
export function whileLocked<T>(
	directory: string,
	deadline: number,
	missing: 'create' | 'ignore' | 'refuse',
	call: () => T,
): T {
	const path = `${directory}/${LOCK_FILE}`;
	const { O_RDONLY, O_CREAT, O_NOFOLLOW } = constants;
	let descriptor: number | undefined;
	try {
		if (missing !== 'ignore' || existsSync(path)) {
			descriptor = openSync(path, O_RDONLY | O_NOFOLLOW | (missing === 'create' ? O_CREAT : 0), 0o640);
		}
	} catch (error) {
		throw storeError('opening', path, error);
	}
	try {
		if (descriptor !== undefined && !lock(descriptor, deadline)) {
			throw new CommandError(`locking "${path}": another process holds it, try again when host-local is idle`);
		}
		return call();
	} finally {
		if (descriptor !== undefined) closeSync(descriptor);
	}
}

/** Makes the directory, as host-local does. Throws LeaseError. */
export function createDirectory(directory: string): void {
	try {
		mkdirSync(directory, { recursive: true, mode: 0o755 });
	} catch (error) {
		throw storeError('making the directory', directory, error);
	}
}

/** Reads all files; the lock is held. Throws LeaseError when the directory cannot be read. */
export function readContents(directory: string): Contents {
	const reserved: ReservedAddress[] = [];
	const broken: BrokenFile[] = [];
	for (const name of namesIn(directory)) {
		if (isBookkeeping(name) || name === TEMPORARY) continue;
		const [path, address] = [`${directory}/${name}`, addressOfFile(name)];
		if (address === undefined) {
			broken.push({ path, address, problem: 'not a file of host-local' });
			continue;
		}
		const found = readReservation(path);
		if (typeof found === 'string') broken.push({ path, address, problem: found });
		else reserved.push({ ...found, address, path });
	}
	return { reserved, broken };
}

function namesIn(directory: string): string[] {
	try {
		return readdirSync(directory).toSorted();
	} catch (error) {
		throw storeError('listing', directory, error);
	}
}

/** Says in words what is wrong with a file that cannot be read. */
function readReservation(path: string): (Reservation & { time: number }) | string {
	const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
	let descriptor: number | undefined;
	try {
		descriptor = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
		const status = fstatSync(descriptor);
		if (!status.isFile()) return 'not a plain file';
		const bytes = Buffer.alloc(LONGEST);
		const length = readSync(descriptor, bytes);
		const text = bytes.toString('utf8', 0, length);
		const reservation = length < LONGEST ? decodeReservation(text) : undefined;
		if (reservation !== undefined) return { ...reservation, time: Math.floor(status.mtimeMs) };
		return text.trim() === ''
			? 'empty, host-local was killed while it wrote'
			: 'not complete, or no file of host-local';
	} catch (error) {
		const code = systemCode(error);
		return code === 'ELOOP' ? 'not a plain file' : (code ?? String(error));
	} finally {
		if (descriptor !== undefined) closeSync(descriptor);
	}
}

/** Writes the file of an address, complete before it has its name; the lock is held. Throws LeaseError, `EEXIST` too. */
export function writeReservation(directory: string, address: string, holder: Attachment): void {
	const path = `${directory}/${address}`;
	const temporary = `${directory}/${TEMPORARY}`;
	try {
		rmSync(temporary, { force: true });
		writeFileSync(temporary, encodeReservation(holder), { flag: 'wx', mode: 0o600 });
		linkSync(temporary, path);
		rmSync(temporary);
	} catch (error) {
		throw storeError('writing', path, error);
	}
}

/** Removes the file of an address; the lock is held. Throws LeaseError. */
export function removeReservation({ path }: Pick<ReservedAddress, 'path'>): void {
	try {
		rmSync(path);
	} catch (error) {
		throw storeError('removing', path, error);
	}
}

/** Writes the address that range set number `index` gave last: host-local goes on behind it. Throws LeaseError. */
export function writeLastReserved(directory: string, index: number, address: string): void {
	const path = `${directory}/${lastReservedFile(index)}`;
	try {
		writeFileSync(path, address, { mode: 0o600 });
	} catch (error) {
		throw storeError('writing', path, error);
	}
}
