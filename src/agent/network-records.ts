// The networks in the rules of the host: what leaves them is masqueraded, what stays in them is not.
//
// The agent is one owner more: its records stand beside those that the plugin writes of the same networks, and sets hold what
// any of them says. So a network is masqueraded as long as the agent says so, whatever the configuration of a container.

import { formatSubnet, splitSubnet } from '../ipam/subnet.ts';
import { type Backend, withBackend } from '../nat/backend.ts';
import type { BackendChoice } from '../nat/configuration.ts';
import { networkRecordPath, readRecords, removeRecord, withLock, writeRecord } from '../nat/record-files.ts';
import { encodeRecord, LAYOUT, type NetworkRecord } from '../nat/records.ts';
import { restore } from '../nat/restore.ts';
import { subnetOf } from '../overlay/subnet-text.ts';
import type { ClusterState } from './cluster-state.ts';

/** What the agent says of a network. */
export type NetworkWish = Omit<NetworkRecord, 'layout' | 'backend'>;

/** Where records are, and what keeps the rules. */
export interface RulesOptions {
	readonly directory: string;
	readonly backend: BackendChoice;
}

/** No network of a configuration begins like this: libcni lets a name begin with a letter or digit only. */
const OWNER = '-agent-';

/** What the agent says of all networks, whether this host has a part of them or not: no overlay is the world outside. */
export function networkWishes({ networks, agents }: ClusterState, ip: string): NetworkWish[] {
	const self = agents.get(ip);
	return networks.map(({ name, overlay, overlay6 }) => {
		const { subnet, subnet6 } = self?.networks[name] ?? {};
		return {
			network: OWNER + name,
			bridge: `m-${name}`,
			subnets: [...halvesOf(subnet), ...halvesOf(subnet6)],
			overlays: [overlay, overlay6].filter((each) => each !== undefined),
			masquerade: true,
			isolation: 'none',
		};
	});
}

/** The Mesos half and the Docker half. */
function halvesOf(subnet: string | undefined): string[] {
	return subnet === undefined ? [] : (splitSubnet(subnetOf(subnet)) ?? []).map(formatSubnet);
}

/**
 * Has the rules say of networks what is wished, and no more of others that the agent once spoke of. Also puts the tables back
 * when somebody removed them. Gives whether there was anything to do. Throws CniError or NetlinkError.
 */
export async function keepNetworks(
	{ directory, backend: choice }: RulesOptions,
	wishes: readonly NetworkWish[],
	deadline: number,
): Promise<boolean> {
	const { networks, attachments } = readRecords(directory);
	const ours = networks.filter(isOurs);
	if (wishes.length === 0 && ours.length === 0) return false;
	// A packet must not meet the rules of two backends.
	const used = attachments[0]?.backend ?? ours[0]?.backend;
	return withBackend(choice === 'auto' ? (used ?? 'auto') : choice, deadline, (backend) => {
		const wanted = wishes.map((wish): NetworkRecord => ({ layout: LAYOUT, backend: backend.name, ...wish }));
		if (isKept(ours, wanted, backend)) return false;
		withLock(directory, deadline, () => {
			const names = new Set(wanted.map(({ network }) => network));
			for (const record of wanted) {
				writeRecord(directory, networkRecordPath(directory, record.network), encodeRecord(record));
			}
			for (const { network } of readRecords(directory).networks.filter(isOurs)) {
				if (!names.has(network)) removeRecord(networkRecordPath(directory, network));
			}
			restore(directory, backend);
		});
		return true;
	});
}

function isOurs({ network }: NetworkRecord): boolean {
	return network.startsWith(OWNER);
}

function isKept(present: readonly NetworkRecord[], wanted: readonly NetworkRecord[], backend: Backend): boolean {
	const texts = new Set(present.map(encodeRecord));
	if (present.length !== wanted.length) return false;
	return wanted.every((record) => texts.has(encodeRecord(record)) && backend.hasNetwork(record, true));
}
