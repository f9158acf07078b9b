// The networks in the rules of the host: what leaves them is masqueraded, what stays in them is not.
//
// The agent is one owner more: its records stand beside those that the plugin writes of the same networks, and sets hold what
// any of them says. So a network is masqueraded as long as the agent says so, whatever the configuration of a container.

import { formatSubnet, splitSubnet } from '../../ipam/subnet.ts';
import { hasSysctl } from '../../linux/sysctl.ts';
import { type Backend, withBackend } from '../../nat/backend.ts';
import type { BackendChoice } from '../../nat/configuration.ts';
import { dropForwardRules } from '../../nat/forward-policy-change.ts';
import { lacksElements } from '../../nat/missing-elements.ts';
import {
	networkRecordPath,
	readRecord,
	readRecords,
	removeRecord,
	withLock,
	writeRecord,
} from '../../nat/record-files.ts';
import { type AttachmentRecord, encodeRecord, LAYOUT, type NetworkRecord, type Records } from '../../nat/records.ts';
import { fingerprintPath, restore } from '../../nat/restore.ts';
import { subnetOf } from '../../overlay/subnet-text.ts';
import type { ClusterState } from '../master/cluster-state.ts';
import { type FurtherKeys, keysFor } from './further-keys.ts';

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
export function networkWishes({ networks, agents }: ClusterState, ip: string, further?: FurtherKeys): NetworkWish[] {
	const self = agents.get(ip);
	return networks.map(({ name, overlay, overlay6 }) => {
		const { subnet, subnet6 } = self?.networks[name] ?? {};
		return {
			network: OWNER + name,
			bridge: `m-${name}`,
			subnets: [...halvesOf(subnet), ...halvesOf(subnet6)],
			overlays: [overlay, overlay6].filter((each) => each !== undefined),
			masquerade: keysFor(further, name)['ipMasq'] !== false,
			isolation: 'none',
		};
	});
}

/** The Mesos half and the Docker half. */
function halvesOf(subnet: string | undefined): string[] {
	return subnet === undefined ? [] : (splitSubnet(subnetOf(subnet)) ?? []).map(formatSubnet);
}

/**
 * Has the rules say of networks what is wished, and no more of others that the agent once spoke of, as soon as these have no
 * bridge any more: what the plugin has noted down of them goes, too. Also puts the tables back when somebody removed them;
 * with `isDoubtful`, also what somebody removed of them. Gives whether there was anything to do. Throws CniError or NetlinkError.
 */
export async function keepNetworks(
	{ directory, backend: choice }: RulesOptions,
	wishes: readonly NetworkWish[],
	deadline: number,
	isDoubtful = false,
): Promise<boolean> {
	const { networks, attachments } = readRecords(directory);
	const ours = networks.filter(isOfAgent);
	if (wishes.length === 0 && ours.length === 0) return false;
	// A packet must not meet the rules of two backends.
	const used = attachments[0]?.backend ?? ours[0]?.backend;
	return withBackend(choice === 'auto' ? (used ?? 'auto') : choice, deadline, (backend) => {
		const wished = wishes.map((wish): NetworkRecord => ({ layout: LAYOUT, backend: backend.name, ...wish }));
		const names = new Set(wished.map(({ network }) => network));
		const wanted = [
			...wished,
			...ours.filter((record) => !names.has(record.network) && isInUse(record, attachments)),
		];
		const isRight = (): boolean => {
			const present = readRecords(directory);
			return (
				isKept(present.networks.filter(isOfAgent), wanted, backend) &&
				!(isDoubtful && isDamaged(directory, present, backend, deadline))
			);
		};
		if (isRight()) return false;
		return withLock(directory, deadline, () => {
			// What somebody was about to add or remove is there or gone now.
			if (isRight()) return false;
			for (const record of wanted) {
				writeRecord(directory, networkRecordPath(directory, record.network), encodeRecord(record));
			}
			const kept = new Set(wanted.map(({ network }) => network));
			const gone = readRecords(directory).networks.filter((each) => isOfAgent(each) && !kept.has(each.network));
			dropForwardRules(
				gone.map(({ bridge }) => bridge),
				deadline,
			);
			for (const { network } of gone) {
				for (const name of [network.slice(OWNER.length), network]) {
					removeRecord(networkRecordPath(directory, name));
				}
			}
			restore(directory, backend);
			return true;
		});
	});
}

/** Whether a network has containers here, with rules of their own or without. */
function isInUse({ network, bridge }: NetworkRecord, attachments: readonly AttachmentRecord[]): boolean {
	const name = network.slice(OWNER.length);
	return hasSysctl(`ipv4/conf/${bridge}`) || attachments.some((attachment) => attachment.network === name);
}

/** Whether a record is the agent's, and not the plugin's. */
export function isOfAgent({ network }: NetworkRecord): boolean {
	return network.startsWith(OWNER);
}

function isKept(present: readonly NetworkRecord[], wanted: readonly NetworkRecord[], backend: Backend): boolean {
	const texts = new Set(present.map(encodeRecord));
	if (present.length !== wanted.length) return false;
	return wanted.every((record) => texts.has(encodeRecord(record)) && backend.hasNetwork(record, true));
}

/** Whether the kernel has less than the records say. With iptables, that takes its programs too long to find out. */
function isDamaged(directory: string, { networks, attachments }: Records, backend: Backend, deadline: number): boolean {
	if (backend.name === 'iptables') return false;
	if (readRecord(fingerprintPath(directory)) !== backend.fingerprint()) return true;
	const records = (): Records => ({ networks, attachments });
	const isOurs = (record: { readonly backend: string }): boolean => record.backend === backend.name;
	const isNetworkDamaged = (network: NetworkRecord): boolean =>
		backend.differences(network, undefined, records).length > 0;
	return networks.filter(isOurs).some(isNetworkDamaged) || lacksElements(attachments.filter(isOurs), deadline);
}
