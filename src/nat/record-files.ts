// The files of what is remembered, and the lock under which they and the kernel's tables change together.
//
// `networks/<network>` and `attachments/<container id>@<interface>`, one record each; they end with the boot, as the
// tables do. A record is written before the kernel is told, and removed after it has forgotten: whatever is in the tables
// is found from the records, whenever a process was killed. Half a record is one of which the kernel knows nothing yet.

import { CniError, CniErrorCode } from '../cni/errors.ts';
import type { Attachment } from '../cni/request.ts';
import {
	closeFile,
	listDirectory,
	makeDirectory,
	O_CREAT,
	O_EXCL,
	O_NOFOLLOW,
	O_RDWR,
	openFile,
	readText,
	unlinkFile,
	writeNext,
} from '../linux/files.ts';
import { systemCode } from '../linux/errno.ts';
import { lock } from '../linux/flock.ts';
import { LONGEST_NAME, shortened } from '../linux/hash.ts';
import { type AttachmentRecord, decodeAttachment, decodeNetwork, type NetworkRecord, type Records } from './records.ts';

/** Where records are, unless the configuration says otherwise. */
export const NAT_DIRECTORY = '/run/mesos-overlay/nat';

let held: number | undefined;

/** The descriptor of the lock, while it is held. A program that has it, too, keeps the lock when this process is killed. */
export function heldLock(): number | undefined {
	return held;
}

/**
 * Does some work that nobody else's changes of records and tables come between. Waits for others until `deadline` (ms of
 * performance.now()); the kernel frees the lock of a process that dies. Throws CniError 11, or 5 with the path.
 */
export function withLock<T>(directory: string, deadline: number, work: () => T): T {
	const path = `${directory}/lock`;
	const descriptor = inDirectories(directory, 'opening', path, () =>
		openFile(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600),
	);
	try {
		if (!lock(descriptor, deadline)) {
			throw new CniError(
				CniErrorCode.tryAgainLater,
				`locking "${path}": other calls are changing the rules of this host, try again when they are over`,
			);
		}
		held = descriptor;
		return work();
	} finally {
		held = undefined;
		closeFile(descriptor);
	}
}

/** The path of an attachment's record. A container id that is too long for a file name is cut, and told apart by its hash. */
export function attachmentRecordPath(directory: string, { containerId, ifname }: Attachment): string {
	return `${directory}/attachments/${shortened(containerId, LONGEST_NAME)}@${ifname}`;
}

/** The path of a network's record. */
export function networkRecordPath(directory: string, network: string): string {
	return `${directory}/networks/${shortened(network, LONGEST_NAME)}`;
}

/** The text of a record; undefined: there is none. Throws CniError 5. */
export function readRecord(path: string): string | undefined {
	try {
		return readText(path);
	} catch (error) {
		const code = systemCode(error);
		if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
		throw failure('reading', path, error);
	}
}

/** Puts a record in the place of what is there. Throws CniError 5. */
export function writeRecord(directory: string, path: string, text: string): void {
	removeRecord(path);
	inDirectories(directory, 'writing', path, () => {
		const descriptor = openFile(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
		try {
			const bytes = Buffer.from(text);
			if (writeNext(descriptor, bytes) < bytes.length) {
				throw Object.assign(new Error('short write'), { code: 'ENOSPC' });
			}
		} finally {
			closeFile(descriptor);
		}
	});
}

/** Removes a record, if it is there. Throws CniError 5. */
export function removeRecord(path: string): void {
	try {
		unlinkFile(path);
	} catch (error) {
		const code = systemCode(error);
		if (code !== 'ENOENT' && code !== 'ENOTDIR') throw failure('removing', path, error);
	}
}

/** The record of an attachment; undefined: there is none, or half of one. Throws CniError 5. */
export function readAttachmentRecord(directory: string, attachment: Attachment): AttachmentRecord | undefined {
	const text = readRecord(attachmentRecordPath(directory, attachment));
	return text === undefined ? undefined : decodeAttachment(text);
}

/** The record of a network; undefined: there is none, or half of one. Throws CniError 5. */
export function readNetworkRecord(directory: string, network: string): NetworkRecord | undefined {
	const text = readRecord(networkRecordPath(directory, network));
	return text === undefined ? undefined : decodeNetwork(text);
}

/** All records. Throws CniError 5. */
export function readRecords(directory: string): Records {
	return {
		networks: readAll<NetworkRecord>(`${directory}/networks`, decodeNetwork),
		attachments: readAll<AttachmentRecord>(`${directory}/attachments`, decodeAttachment),
	};
}

function readAll<T>(directory: string, decode: (text: string) => T | undefined): T[] {
	return namesIn(directory).flatMap((name) => {
		const text = readRecord(`${directory}/${name}`);
		return (text === undefined ? undefined : decode(text)) ?? [];
	});
}

function namesIn(directory: string): string[] {
	try {
		// In the same order always, so that the same records make the same table.
		return listDirectory(directory).toSorted();
	} catch (error) {
		if (systemCode(error) === 'ENOENT') return [];
		throw failure('listing', directory, error);
	}
}

/** Makes the directories when they turn out to be missing. */
function inDirectories<T>(directory: string, operation: string, path: string, work: () => T): T {
	try {
		try {
			return work();
		} catch (error) {
			if (systemCode(error) !== 'ENOENT') throw error;
			for (const part of ['attachments', 'networks']) makeDirectory(`${directory}/${part}`, { recursive: true });
			return work();
		}
	} catch (error) {
		throw failure(operation, path, error);
	}
}

function failure(operation: string, path: string, error: unknown): unknown {
	const code = systemCode(error);
	if (error instanceof CniError || code === undefined) return error;
	return new CniError(CniErrorCode.ioFailure, `${operation} "${path}": ${code}`, { cause: error });
}
