// The error of the lease store, and what to do about the errors of the file system below it.

import { CniErrorCode } from '../cni/errors.ts';
import { systemCode } from '../linux/errno.ts';

/** What the store itself says; an error of the file system keeps its own code (`EROFS`). */
const CNI_CODES: Readonly<Record<string, number>> = {
	alreadyAttached: CniErrorCode.alreadyAttached,
	addressTaken: CniErrorCode.addressTaken,
	noAddressLeft: CniErrorCode.noAddressLeft,
	/** Another process that lives works on the lease. */
	busy: CniErrorCode.tryAgainLater,
	/** Something is in the store that it never made. */
	foreign: CniErrorCode.leaseStore,
};

/** A failure of the lease store; the message names the path or the address. */
export class LeaseError extends Error {
	override readonly name = 'LeaseError';
	readonly code: string;
	readonly cniCode: number;

	constructor(code: string, message: string, cause?: unknown) {
		super(message, cause === undefined ? undefined : { cause });
		this.code = code;
		this.cniCode = CNI_CODES[code] ?? CniErrorCode.leaseStore;
	}
}

const REMEDIES: Readonly<Record<string, string>> = {
	EROFS: 'the file system is read-only, set ipam.dataDir to a directory that can be written',
	ENOSPC: 'the file system is full, free some space or inodes',
	EDQUOT: 'the disk quota is used up',
	EACCES: 'permission denied, the store belongs to root',
	EPERM: 'not permitted, the store belongs to root',
	ENOTDIR: 'a part of the path is no directory, remove it or set ipam.dataDir',
	ENAMETOOLONG: 'the path is too long',
	EEXIST: 'a file is in its place, remove it or set ipam.dataDir',
	EMLINK: 'the file system allows no more links',
	EXDEV: 'the store lies on two file systems, it must be one',
};

/** An error of the file system as a LeaseError that says what was tried, with which path, and the remedy if there is one. */
export function storeError(operation: string, path: string, error: unknown): unknown {
	const code = systemCode(error);
	if (error instanceof LeaseError || code === undefined) return error;
	const remedy = REMEDIES[code];
	return new LeaseError(
		code,
		`${operation} "${path}": ${remedy === undefined ? code : `${remedy} (${code})`}`,
		error,
	);
}

/** The error of something that the store never made: it is left alone. */
export function foreign(path: string, what: string): LeaseError {
	return new LeaseError(
		'foreign',
		`reading "${path}": ${what}, which is no part of a lease store: look at it and remove it`,
	);
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}
