// Releases what no valid attachment holds.

import type { Attachment } from '../cni/request.ts';
import { foreign, LeaseError, storeError } from './lease-error.ts';
import { systemCode } from '../linux/errno.ts';
import type { Lease } from './lease.ts';
import { listAttachments } from './leases.ts';
import { isReleased, watchQuarantine } from './quarantine.ts';
import { reclaim } from './reclaim.ts';
import { releaseAttachment } from './release.ts';
import { attachmentPath, kindOf, look, type Store, storeExists } from './store.ts';

/** The codes of a file system that is full: it has no room for the lock, which only saves work. */
const FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT']);

/** Milliseconds without a sign of life after which the holder of the lock is taken for dead. */
const STALE = 5000;

/** Milliseconds between two looks at the lock. */
const PAUSE = 100;

/**
 * Releases every lease of a network whose attachment is not in the list, and goes on after an error. One that a running
 * call works on is left alone. Waits until `deadline` (ms of performance.now()) for another GC of the network. Throws
 * AggregateError of what failed, or LeaseError `busy`.
 */
export async function collectGarbage(store: Store, valid: readonly Attachment[], deadline: number): Promise<void> {
	if (!storeExists(store)) return;
	const giveBack = await lockStore(store, deadline);
	try {
		const failures = releaseOthers(store, valid).filter(
			(error) => !(error instanceof LeaseError && error.code === 'busy'),
		);
		if (failures.length > 0) throw new AggregateError(failures, 'releasing stale leases failed');
	} finally {
		await giveBack();
	}
}

/** The same without the lock, which only keeps two GCs from doing all of it twice. Gives what failed, `busy` included. */
export function releaseOthers(store: Store, valid: readonly Attachment[]): unknown[] {
	// The name of a file stands for a container id that is too long for one.
	const keyOf = (attachment: Attachment): string => attachmentPath(store, attachment, 0);
	const kept = new Set(valid.map(keyOf));
	const { found, problems } = listAttachments(store);
	const failures: unknown[] = [...problems];
	for (const attachment of found) {
		if (kept.has(keyOf(attachment))) continue;
		try {
			for (const lease of releaseAttachment(store, attachment, 0)) {
				const what = isReleased(lease) ? 'quarantined' : 'freed';
				store.note(`${what} ${lease.address}: container "${lease.containerId}" is no valid attachment`);
			}
		} catch (error) {
			failures.push(error);
		}
	}
	// Addresses whose entry under attachments/ was lost in a crash of the machine.
	const { ended } = watchQuarantine(store);
	const died = (lease: Lease) => (kept.has(keyOf(lease)) ? undefined : 'is no valid attachment');
	const mayGo = (lease: Lease) => (isReleased(lease) ? ended(lease) : died(lease));
	return [...failures, ...reclaim(store, () => true, [mayGo], 0).failures];
}

/** Loaded here only, since proper-lockfile costs a third of an ADD to load. */
async function lockStore(store: Store, deadline: number): Promise<() => Promise<void>> {
	const { default: lockfile } = await import('proper-lockfile');
	const lockfilePath = `${store.directory}/gc.lock`;
	const found = look(store, lockfilePath);
	if (found !== undefined && found.kind !== 'directory') throw foreign(lockfilePath, kindOf(found));
	for (;;) {
		try {
			return await lockfile.lock(store.directory, { lockfilePath, realpath: false, stale: STALE });
		} catch (error) {
			const code = systemCode(error) ?? '';
			if (FULL.has(code)) return async () => {};
			if (code !== 'ELOCKED') throw storeError('making the lock', lockfilePath, error);
		}
		if (performance.now() >= deadline) {
			const why = 'another GC of the network is running, try again when it is over';
			throw new LeaseError('busy', `locking "${lockfilePath}": ${why}`);
		}
		await new Promise((resolve) => setTimeout(resolve, PAUSE));
	}
}
