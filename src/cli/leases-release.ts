// Releases what a container holds, when nothing else will, or ends the quarantine of what it held.

import { formatAddress, parseAddress } from '../ipam/address.ts';
import { describe } from '../cni/request.ts';
import type { Lease } from '../ipam/lease.ts';
import { releaseAttachment } from '../ipam/release.ts';
import { bootId } from '../linux/boot-id.ts';
import { deviceExists } from '../linux/device.ts';
import { hostInterfaceName } from '../linux/host-interface-name.ts';
import { writeStdout } from '../linux/standard-output.ts';
import { CommandError, defineCommand } from './command.ts';
import { endQuarantine } from './end-quarantine.ts';
import { type Holding, listHoldings, report, storeOptions } from './lease-stores.ts';
import { namespaceState } from './liveness.ts';
import { keyOf } from './migration.ts';
import { confirm } from './question.ts';

/** Milliseconds to wait for a call that works on the attachment. */
const PATIENCE = 10_000;

export const leasesRelease = defineCommand({
	name: 'leases release',
	operand: '<address|container>',
	summary: 'releases an address, or all that a container holds',
	details: `An address is released together with the others of the same interface. The interface itself stays: to
detach a container, call DEL. When the container lives, or nobody knows, the command asks first; where
it cannot ask, since stdin is no terminal, it refuses without --yes. The quarantine of an address, or of all
that a container has left when it holds nothing any more, is ended without a question: nobody has these.`,
	options: { ...storeOptions, yes: { type: 'boolean', short: 'y', about: 'do not ask' } },
	run({ yes, ...values }, what) {
		const { holdings, problems } = listHoldings(values);
		const isHeld = ({ quarantineSeconds }: Holding): boolean => quarantineSeconds === 0;
		const meant = holdings.filter(({ lease }) => isMeant(lease, what));
		if (meant.length === 0) {
			report(problems);
			throw new CommandError(`releasing "${what}": no address or container of that name is leased`);
		}
		const networks = [...new Set(meant.map(({ lease }) => `"${lease.network}"`))];
		if (parseAddress(what) !== undefined && networks.length > 1) {
			throw new CommandError(`releasing "${what}": it is leased in ${networks.join(' and ')}, set --network`);
		}
		if (!meant.some(isHeld)) return report(meant.flatMap(free));
		const attachments = Map.groupBy(holdings.filter(isHeld), ({ lease }) => `${lease.network} ${keyOf(lease)}`);
		const found = [...attachments.values()].filter((held) => held.some((each) => meant.includes(each)));
		return report(found.flatMap((held) => release(held, yes)));
	},
});

function isMeant({ address, containerId }: Lease, what: string): boolean {
	const meant = parseAddress(what);
	return containerId === what || (meant !== undefined && formatAddress(meant) === address);
}

/** Ends the quarantine of an address; gives what went wrong. */
function free({ store, lease }: Holding): unknown[] {
	const what = `${lease.address}, which ${describe(lease)} had in network "${lease.network}"`;
	try {
		if (!endQuarantine(store, lease, performance.now() + PATIENCE)) {
			return [new CommandError(`ending the quarantine of ${what}: it has just changed, look again`)];
		}
		writeStdout(`ended the quarantine of ${what}\n`);
		return [];
	} catch (error) {
		return [error];
	}
}

/** Releases all leases of one attachment; gives what went wrong. */
function release(held: readonly Holding[], yes: boolean): unknown[] {
	const [first] = held;
	if (first === undefined) return [];
	const { store, lease } = first;
	const addresses = held.map(({ lease: { address } }) => address).join(', ');
	const what = `${addresses} of ${describe(lease)} in network "${lease.network}"`;
	const doubt = yes ? undefined : doubtAbout(lease);
	if (doubt !== undefined) {
		const answer = confirm(`${doubt}; release ${what} all the same?`);
		if (answer === undefined) {
			return [new CommandError(`releasing ${what}: ${doubt}; --yes releases it all the same`)];
		}
		if (!answer) return [new CommandError(`releasing ${what}: nothing was released`)];
	}
	try {
		// In the meantime it may have become another's: then nobody was asked about it.
		const isSame = (now: Lease | undefined): boolean => now?.time === lease.time && now.bootId === lease.bootId;
		const released = releaseAttachment(store, lease, performance.now() + PATIENCE, isSame);
		if (released.length === 0) return [new CommandError(`releasing ${what}: it has just changed, look again`)];
		for (const { address } of released) {
			writeStdout(`released ${address} of ${describe(lease)} in network "${lease.network}"\n`);
		}
		return [];
	} catch (error) {
		return [error];
	}
}

/** Why a lease may be in use; undefined when it cannot be. */
function doubtAbout(lease: Lease): string | undefined {
	const thisBoot = bootId();
	if (lease.bootId !== thisBoot) return undefined;
	const state = namespaceState(lease, thisBoot);
	if (state === 'alive') return 'the container lives';
	// Its path may lead elsewhere in the mount namespace of whoever asks.
	const port = hostInterfaceName(lease);
	if (deviceExists(port)) return `its port "${port}" is there`;
	return state === 'unknown' ? 'whether the container lives is unknown' : undefined;
}
