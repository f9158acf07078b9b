// Writes leases as files of host-local.

import { readFileSync } from 'node:fs';
import { addressOfFile } from '../ipam/host-local.ts';
import { describe } from '../cni/request.ts';
import { ADDRESS_REGION } from '../ipam/lease.ts';
import type { Store } from '../ipam/store.ts';
import { note } from '../linux/standard-error.ts';
import { bootId } from '../linux/boot-id.ts';
import { writeStdout } from '../linux/standard-output.ts';
import { CommandError, defineCommand } from './command.ts';
import {
	createDirectory,
	readContents,
	removeReservation,
	whileLocked,
	writeLastReserved,
	writeReservation,
} from './host-local-directory.ts';
import { report } from './lease-stores.ts';
import { holderOf, planExport } from './migration.ts';
import { existingHoldings, lockDeadline, migrationOptions, placesOf } from './migration-options.ts';

export const leasesExport = defineCommand({
	name: 'leases export',
	summary: 'writes the leases as files of host-local, for going back to it',
	details: `Every lease of this boot becomes a file, under host-local's own lock. The leases stay, since the containers
are still detached by this program. It does not remove the files then: export again, which removes those
that an earlier export wrote and whose leases are gone. Files of host-local itself are never changed.`,
	options: {
		to: {
			type: 'string',
			value: 'DIR',
			required: true,
			about: "the network's directory of host-local, /var/lib/cni/networks/<network>; made when missing",
		},
		...migrationOptions,
	},
	run({ to, ...values }) {
		const { directory, store } = placesOf(to, values);
		const { leases, problems } = existingHoldings(store, `exporting to "${directory}"`);
		createDirectory(directory);
		return whileLocked(directory, lockDeadline(), 'create', () => {
			const plan = planExport(readContents(directory), leases, bootId());
			for (const lease of plan.write) {
				writeReservation(directory, lease.address, lease);
				writeStdout(`exported ${lease.address}: ${describe(lease)}\n`);
			}
			for (const lease of plan.present) writeStdout(`had exported ${lease.address}: ${describe(lease)}\n`);
			for (const lease of plan.dead) note(`left out ${lease.address}: ${describe(lease)} is of an earlier boot`);
			// Whose lease cannot be read may be one that is meant to stay.
			for (const file of problems.length === 0 ? plan.remove : []) {
				removeReservation(file);
				writeStdout(`removed ${file.address}: ${describe(holderOf(file))} has left\n`);
			}
			for (const index of [0, 1]) exportLast(store, directory, index);
			const conflicts = plan.conflicts.map(
				({ lease, path, problem }) =>
					new CommandError(
						`exporting ${lease.address} of ${describe(lease)}: "${path}" is ${problem}; it was left alone`,
					),
			);
			return report([...problems, ...conflicts]);
		});
	},
});

/** Hands on where to go on. Where that is not known, host-local begins at the start. */
function exportLast(store: Store, directory: string, index: number): void {
	let text: string;
	try {
		text = readFileSync(`${store.directory}/last.${index}`, 'latin1').slice(0, ADDRESS_REGION);
	} catch {
		return;
	}
	const address = addressOfFile(text.trim());
	if (address !== undefined) writeLastReserved(directory, index, address);
}
