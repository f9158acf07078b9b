// Removes the rules of attachments that are no longer valid.

import { type Attachment, describe } from '../cni/request.ts';
import { note } from '../linux/standard-error.ts';
import { detachNat } from './attach.ts';
import { attachmentRecordPath, readRecords } from './record-files.ts';

/**
 * Takes back what is recorded of a network's attachments that are not in the list. Goes on after a failure. Throws
 * AggregateError.
 */
export async function collectNat(
	directory: string,
	network: string,
	valid: readonly Attachment[],
	deadline: number,
): Promise<void> {
	const keyOf = (attachment: Attachment): string => attachmentRecordPath(directory, attachment);
	const kept = new Set(valid.map(keyOf));
	const failures: unknown[] = [];
	for (const record of readRecords(directory).attachments) {
		if (record.network !== network || kept.has(keyOf(record))) continue;
		try {
			await detachNat(directory, record, deadline);
			note(`GC: removed the rules of ${describe(record)}`);
		} catch (error) {
			failures.push(error);
		}
	}
	if (failures.length > 0) throw new AggregateError(failures, 'removing rules failed');
}
