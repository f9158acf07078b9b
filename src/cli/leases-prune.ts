// Releases imported leases of containers that host-local has seen leave.

import { describe } from '../cni/request.ts';
import type { Lease } from '../ipam/lease.ts';
import { releaseAttachment } from '../ipam/release.ts';
import { bootId } from '../linux/boot-id.ts';
import { writeStdout } from '../linux/standard-output.ts';
import { CommandError, defineCommand } from './command.ts';
import { readContents, whileLocked } from './host-local-directory.ts';
import { isOnlySource } from './import-record.ts';
import { report } from './lease-stores.ts';
import { isImported, planPrune } from './migration.ts';
import {
	callDeadline,
	dryRunOption,
	existingHoldings,
	fromOption,
	lockDeadline,
	migrationOptions,
	placesOf,
} from './migration-options.ts';

export const leasesPrune = defineCommand({
	name: 'leases prune',
	summary: 'releases imported leases that host-local has released since',
	details: `For runtimes that detach a container by the plugins that attached it, as Mesos does: after an import, these
release the file of host-local but not the lease. Only imported leases are released, and only when the
directory that all of them were imported from has no file of the container any more. After "leases import
--move" it is refused, since the files are not there for another reason then.`,
	options: { from: fromOption, ...migrationOptions, 'dry-run': dryRunOption },
	run({ from, 'dry-run': dryRun, ...values }) {
		const { directory, store } = placesOf(from, values);
		const tried = `releasing what has left "${directory}"`;
		return whileLocked(directory, lockDeadline(), 'refuse', () => {
			const { leases, problems } = existingHoldings(store, tried);
			if (!isOnlySource(store, directory)) {
				const why = `the leases of "${store.network}" were not imported from there, or the files were moved, or there are others`;
				throw new CommandError(`${tried}: ${why}; see "leases release"`);
			}
			const failures: unknown[] = [...problems];
			for (const lease of planPrune(readContents(directory), leases, bootId())) {
				try {
					if (dryRun) {
						writeStdout(`would release ${lease.address}: ${describe(lease)}\n`);
						continue;
					}
					const stillImported = (now: Lease | undefined): boolean => now !== undefined && isImported(now);
					const released = releaseAttachment(store, lease, callDeadline(), stillImported);
					for (const { address } of released) writeStdout(`released ${address}: ${describe(lease)}\n`);
				} catch (error) {
					failures.push(error);
				}
			}
			return report(failures);
		});
	},
});
