// The Docker networks of the virtual networks: each is the Docker half of the agent subnet, on a bridge of its own.

import { messageOf } from '../../ipam/lease-error.ts';
import { formatSubnet, splitSubnet } from '../../ipam/subnet.ts';
import { subnetOf } from '../../overlay/subnet-text.ts';
import type { ClusterState } from '../master/cluster-state.ts';
import type { Engine, EngineNetwork } from './docker-engine.ts';

/** Marks the networks that the agent made. */
const LABEL = 'mesos-overlay.agent';

const BRIDGE_NAME = 'com.docker.network.bridge.name';
const MASQUERADE = 'com.docker.network.bridge.enable_ip_masquerade';
const MTU = 'com.docker.network.driver.mtu';

/** Engines from this API on drop what comes to a container by another way than its bridge, or by the host's ports. */
const GUARDED_SINCE = 48;
/** By which they do not: other containers of the networks come by other ways. */
const UNGUARDED = {
	'com.docker.network.bridge.gateway_mode_ipv4': 'nat-unprotected',
	'com.docker.network.bridge.gateway_mode_ipv6': 'nat-unprotected',
};

/** What was done, and what is wrong. */
export interface DockerOutcome {
	/** Whether there is an engine. */
	readonly isPresent: boolean;
	readonly made: readonly string[];
	readonly removed: readonly string[];
	/** By the name of the network. */
	readonly problems: ReadonlyMap<string, string>;
}

export interface DockerWish {
	/** The address of this host. */
	readonly ip: string;
	/** In bytes. */
	readonly mtu: number;
	/** Whether Docker gets its half of IPv6 subnets, too. */
	readonly ipv6: boolean;
}

/** The networks that Docker should have on a host: all of which it has a part. */
export function dockerNetworks({ networks, agents }: ClusterState, { ip, mtu, ipv6 }: DockerWish): EngineNetwork[] {
	const self = agents.get(ip);
	return networks.flatMap(({ name }) => {
		const { subnet, subnet6 } = self?.networks[name] ?? {};
		const [half, half6] = [dockerHalf(subnet), ipv6 ? dockerHalf(subnet6) : undefined];
		if (half === undefined && half6 === undefined) return [];
		return [
			{
				Name: name,
				Driver: 'bridge',
				EnableIPv6: half6 !== undefined,
				IPAM: { Config: [half, half6].filter((one) => one !== undefined).map((one) => ({ Subnet: one })) },
				Options: { [BRIDGE_NAME]: `d-${name}`, [MASQUERADE]: 'false', [MTU]: String(mtu) },
				Labels: { [LABEL]: name },
			},
		];
	});
}

function dockerHalf(subnet: string | undefined): string | undefined {
	const half = subnet === undefined ? undefined : splitSubnet(subnetOf(subnet))?.[1];
	return half && formatSubnet(half);
}

/** What a network of Docker has otherwise than it should, in words. */
export function differencesOf(found: EngineNetwork, wanted: EngineNetwork): string[] {
	const differences: string[] = [];
	const compare = (what: string, is: string | undefined, should: string): void => {
		if (is !== should)
			differences.push(`its ${what} is ${is === undefined || is === '' ? 'not set' : is}, not ${should}`);
	};
	compare('driver', found.Driver, wanted.Driver);
	const options = found.Options ?? {};
	for (const [option, value] of Object.entries(wanted.Options ?? {}))
		compare(`option ${option}`, options[option], value);
	compare('EnableIPv6', String(found.EnableIPv6), String(wanted.EnableIPv6));
	const subnets = subnetsOf(found);
	const missing = subnetsOf(wanted).filter((subnet) => !subnets.includes(subnet));
	if (missing.length > 0)
		differences.push(`its subnets are ${subnets.join(', ') || 'none'}, without ${missing.join(', ')}`);
	return differences;
}

function subnetsOf({ IPAM }: EngineNetwork): string[] {
	return (IPAM.Config ?? []).flatMap(({ Subnet }) => (Subnet === undefined ? [] : [formatSubnet(subnetOf(Subnet))]));
}

/**
 * Makes the networks that are missing, and removes those of ours that are not wanted any more. One of ours that is otherwise
 * than it should be is made anew if it has no containers: Docker cannot change a network. What is not ours is only compared.
 */
export async function keepDockerNetworks(engine: Engine, wishes: readonly EngineNetwork[]): Promise<DockerOutcome> {
	const listing = await engine.list();
	const made: string[] = [];
	const removed: string[] = [];
	const problems = new Map<string, string>();
	const outcome = { isPresent: listing !== undefined, made, removed, problems };
	if (listing === undefined) return outcome;
	const { networks: found, api } = listing;
	const wanted = api < GUARDED_SINCE ? wishes : wishes.map(unguarded);
	/** Gives what keeps the network. */
	const remove = async ({ Id = '', Name }: EngineNetwork): Promise<string | undefined> => {
		const users = Object.keys((await engine.inspect(Id)).Containers ?? {}).length;
		if (users > 0) return `it has containers (${users})`;
		await engine.remove(Id);
		removed.push(Name);
		return undefined;
	};
	const attempt = async (name: string, work: () => Promise<void>): Promise<void> => {
		try {
			await work();
		} catch (error) {
			problems.set(name, messageOf(error));
		}
	};
	for (const network of found.filter(isOurs)) {
		if (wanted.some(({ Name }) => Name === network.Name)) continue;
		await attempt(network.Name, async () => {
			const obstacle = await remove(network);
			if (obstacle !== undefined)
				problems.set(network.Name, `the Docker network "${network.Name}" stays: ${obstacle}`);
		});
	}
	for (const network of wanted) {
		const { Name } = network;
		await attempt(Name, async () => {
			const existing = found.find((one) => one.Name === Name);
			const differences = existing === undefined ? [] : differencesOf(existing, network);
			if (existing !== undefined && differences.length === 0) return;
			const obstacle = existing && (isOurs(existing) ? await remove(existing) : 'somebody else made it');
			if (obstacle === undefined) {
				await engine.create(network);
				made.push(Name);
				return;
			}
			const remedy = 'remove it, then the agent makes it anew';
			problems.set(
				Name,
				`the Docker network "${Name}" is not as it should be: ${differences.join(', ')}; ${obstacle}: ${remedy}`,
			);
		});
	}
	return outcome;
}

function unguarded(network: EngineNetwork): EngineNetwork {
	return { ...network, Options: { ...network.Options, ...UNGUARDED } };
}

/** How many containers the networks of ours have that are named. Throws EngineError. */
export async function countDockerContainers(engine: Engine, names: readonly string[]): Promise<Map<string, number>> {
	const { networks: found = [] } = (await engine.list()) ?? {};
	const counts = new Map(names.map((name) => [name, 0]));
	for (const { Id = '', Name } of found.filter((network) => names.includes(network.Name))) {
		counts.set(Name, Object.keys((await engine.inspect(Id)).Containers ?? {}).length);
	}
	return counts;
}

function isOurs({ Labels }: EngineNetwork): boolean {
	return Labels?.[LABEL] !== undefined;
}
