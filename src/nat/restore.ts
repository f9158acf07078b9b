// Puts the tables back as the records say, after somebody flushed them.

import { type Backend, withBackend } from './backend.ts';
import { passForwardPolicy } from './forward-policy.ts';
import { readRecords, withLock, writeRecord } from './record-files.ts';

/** Puts everything back that the records say; gives the number of networks and attachments. Throws CniError or NetlinkError. */
export async function restoreNat(
	directory: string,
	deadline: number,
): Promise<{ readonly networks: number; readonly attachments: number }> {
	const { networks, attachments } = readRecords(directory);
	const used = new Set([...networks, ...attachments].map(({ backend }) => backend));
	for (const name of used) {
		await withBackend(name, deadline, (backend) =>
			withLock(directory, deadline, () => restore(directory, backend)),
		);
	}
	for (const network of networks) await passForwardPolicy(network, directory, deadline);
	return { networks: networks.length, attachments: attachments.length };
}

/** Lays out one backend's tables anew, and notes down how its rules look. To be called under the lock. */
export function restore(directory: string, backend: Backend): void {
	const { networks, attachments } = readRecords(directory);
	const isOurs = (record: { readonly backend: string }): boolean => record.backend === backend.name;
	backend.restore({ networks: networks.filter(isOurs), attachments: attachments.filter(isOurs) });
	writeRecord(directory, fingerprintPath(directory), backend.fingerprint());
}

/** Where the fingerprint of the rules is noted down. */
export function fingerprintPath(directory: string): string {
	return `${directory}/fingerprint`;
}
