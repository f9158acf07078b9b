// Where the imported leases of a network came from: only there can be seen who has left.

import { closeSync, constants, openSync, readFileSync, writeFileSync } from 'node:fs';
import { storeError } from '../ipam/lease-error.ts';
import { systemCode } from '../linux/errno.ts';
import type { Store } from '../ipam/store.ts';

/** Stands behind a directory whose files were removed by the import. */
const MOVED = '\tmoved';

const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW } = constants;
const FLAGS = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW;

function pathOf({ directory }: Store): string {
	return `${directory}/imported-from`;
}

/** Adds a directory to those that leases were imported from. Throws LeaseError. */
export function recordImport(store: Store, directory: string, moved: boolean): void {
	const entry = moved ? directory + MOVED : directory;
	const entries = new Set([...readRecord(store), entry]);
	try {
		const descriptor = openSync(pathOf(store), FLAGS, 0o600);
		try {
			writeFileSync(descriptor, [...entries].map((each) => `${each}\n`).join(''));
		} finally {
			closeSync(descriptor);
		}
	} catch (error) {
		throw storeError('writing', pathOf(store), error);
	}
}

/** Whether all imported leases came from one directory, and its files were left there. Throws LeaseError. */
export function isOnlySource(store: Store, directory: string): boolean {
	const entries = readRecord(store);
	return entries.length === 1 && entries[0] === directory;
}

function readRecord(store: Store): string[] {
	try {
		return readFileSync(pathOf(store), 'utf8').split('\n').filter(Boolean);
	} catch (error) {
		if (systemCode(error) === 'ENOENT') return [];
		throw storeError('reading', pathOf(store), error);
	}
}
