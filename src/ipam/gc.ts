// Releases what no valid attachment holds.

import type { Attachment } from '../cni/request.ts';
import { LeaseError, storeError, systemCode } from './lease-error.ts';
import { listAttachments } from './leases.ts';
import { reclaim } from './reclaim.ts';
import { releaseAttachment } from './release.ts';
import { attachmentPath, type Store, storeExists } from './store.ts';

/** Milliseconds without a sign of life after which the holder of the lock is taken for dead. */
const STALE = 5000;

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
			for (const { address, containerId } of releaseAttachment(store, attachment, 0)) {
				store.note(`freed ${address}: container "${containerId}" is no valid attachment`);
			}
		} catch (error) {
			failures.push(error);
		}
	}
	// Addresses whose entry under attachments/ was lost in a crash of the machine.
	const died = (lease: Attachment) => (kept.has(keyOf(lease)) ? undefined : 'is no valid attachment');
	return [...failures, ...reclaim(store, () => true, [died], 0).failures];
}

/** Loaded here only, since proper-lockfile costs a third of an ADD to load. */
async function lockStore(store: Store, deadline: number): Promise<() => Promise<void>> {
	const { default: lockfile } = await import('proper-lockfile');
	const lockfilePath = `${store.directory}/gc.lock`;
	const pause = 100;
	try {
		return await lockfile.lock(store.directory, {
			lockfilePath,
			realpath: false,
			stale: STALE,
			retries: {
				retries: Math.max(0, Math.floor((deadline - performance.now()) / pause)),
				factor: 1,
				minTimeout: pause,
				maxTimeout: pause,
			},
		});
	} catch (error) {
		if (systemCode(error) !== 'ELOCKED') throw storeError('making the lock', lockfilePath, error);
		throw new LeaseError(
			'busy',
			`locking "${lockfilePath}": another GC of the network is running, try again when it is over`,
		);
	}
}
