// Compares the tables with what an attachment should have there.

import type { Wish } from './attach.ts';
import { withBackend } from './backend.ts';
import { differencesOfForwarding } from './forward-policy.ts';
import { readRecord, readRecords } from './record-files.ts';
import { LAYOUT, type NetworkRecord } from './records.ts';
import { fingerprintPath } from './restore.ts';

/** What the kernel or the records lack or have otherwise, in words. */
export async function differencesOfNat(wish: Wish): Promise<string[]> {
	const { directory, attachment } = wish;
	const ofForwarding = await differencesOfForwarding(wish.network, wish.deadline);
	return withBackend(wish.backend, wish.deadline, (backend) => {
		const network: NetworkRecord = { layout: LAYOUT, backend: backend.name, ...wish.network };
		const record = attachment && { ...attachment, backend: backend.name };
		const isEdited = readRecord(fingerprintPath(directory)) !== backend.fingerprint();
		return [
			...(isEdited ? ['the rules of table inet mesos_overlay are not those that were laid out'] : []),
			...backend.differences(network, record, () => readRecords(directory)),
			...ofForwarding,
		];
	});
}
