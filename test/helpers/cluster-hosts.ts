// A cluster with its daemons: a master, and an agent on each host, which reach each other by the underlay.
import { readFileSync, writeFileSync } from 'node:fs';
import type { ExecutionContext } from 'ava';
import type { OverlayDocument } from '../../src/agent/status/overlay-document.ts';
import type { WrittenConfiguration } from '../../src/overlay/configuration.ts';
import type { DocumentAgent } from '../../src/overlay/document-shape.ts';
import { resultOf } from './assertions.ts';
import { type Attachment, attachment, executable } from './cni.ts';
import { type ClusterHost, type ClusterOptions, createCluster } from './cluster.ts';
import { entriesOf, wantedEntries } from './cluster-entries.ts';
import { type Daemon, type Reply, type Requester, startDaemon, startRequester, until } from './cluster-process.ts';
import { chooseVariant, type Variant } from './iptables.ts';
import { createPlace, documentExample, masterCommand, type Place } from './master.ts';
import type { Namespace } from './namespace.ts';
import type { Configuration } from './network-configuration.ts';

/** The document's example, with IPv6 for one of its networks. */
const example = {
	...documentExample,
	vtep_subnet6: 'fd01:a::/64',
	overlays: [
		{ name: 'dcos', subnet: '9.0.0.0/8', prefix: 26, subnet6: 'fd01:b::/64', prefix6: 80 },
		{ name: 'dcos-1', subnet: '192.168.0.0/16', prefix: 24 },
	],
};

const OPERATOR = 'an-operator-token-for-tests';

export interface State {
	readonly agents: readonly DocumentAgent[];
	readonly network: WrittenConfiguration;
}

export interface AgentPlace {
	readonly cni: string;
	readonly state: string;
}

export interface AgentHost extends ClusterHost {
	readonly place: AgentPlace;
	/** The agent that runs, or ran last. */
	agent(): Daemon;
	/** The words that start its agent. */
	command(...options: readonly string[]): string[];
	/** Starts the agent; it has done what it knows when this returns. */
	startAgent(...options: readonly string[]): Promise<Daemon>;
	/** Launches a container as Mesos does, by the configuration that the agent wrote; `info` is more of its NetworkInfo. */
	launch(network: string, info?: Configuration): Container;
	/** What GET of a path of the agent answers. */
	show(path: string): Promise<Reply>;
	/** Its /overlay-agent/overlay. */
	overlay(): Promise<OverlayDocument>;
	/** What its /healthz says of the master. */
	masterIs(): Promise<string>;
	/** Loses all packets of the underlay, until it is healed. */
	cut(): void;
	heal(): void;
	/** What leads to other hosts, as the kernel has it: routes, neighbours and forwarding entries, sorted. */
	entries(): string[];
}

export interface Container extends Attachment {
	readonly namespace: Namespace;
	readonly address: string;
	readonly address6: string | undefined;
}

export interface RunningCluster {
	readonly hosts: readonly AgentHost[];
	/** Somebody on the underlay who knows nothing of the networks. */
	readonly outside: Namespace;
	readonly place: Place;
	master(): Daemon;
	startMaster(...options: readonly string[]): Promise<Daemon>;
	/** Asks the master as an operator. */
	ask(method: string, path: string, body?: unknown): Promise<Reply>;
	/** The master's state. */
	state(): Promise<State>;
	/** Waits until every host has what it should have, and nothing else; gives the milliseconds. */
	settled(hosts?: readonly AgentHost[], milliseconds?: number): Promise<number>;
}

export interface RunningOptions extends ClusterOptions {
	/** How many hosts there are. */
	readonly size?: number;
	/** The `dcos_overlay_network` of the master. */
	readonly members?: object;
	/** More of every agent. */
	readonly options?: readonly string[];
	/** Has the hosts keep their rules by a variant of iptables. */
	readonly iptables?: Variant;
}

/** Makes a cluster whose master and agents run; the master sits on a machine of its own. */
export async function startCluster(
	t: ExecutionContext,
	{ size = 3, members = example, options = [], iptables, ...underlay }: RunningOptions = {},
): Promise<RunningCluster> {
	const { hosts: machines, outside } = createCluster(t, size + 1, underlay);
	const seat = machines[size];
	if (seat === undefined) throw new Error('there is no machine for the master');
	const place = createPlace(t, members);
	const [agentTokens, operatorTokens] = [`${place.directory}/agents`, `${place.directory}/operators`];
	const tokens = machines.map(({ ip, nth }) => `${ip} a-token-of-agent-${nth}-for-tests\n`);
	writeFileSync(agentTokens, tokens.join(''), { mode: 0o600 });
	writeFileSync(operatorTokens, `test ${OPERATOR}\n`, { mode: 0o600 });

	const listen = `${seat.ip.includes(':') ? `[${seat.ip}]` : seat.ip}:5055`;
	const url = `http://${listen}`;
	const credentials = ['--agent-tokens', agentTokens, '--operator-tokens', operatorTokens];
	let master: Daemon;
	const startMaster = async (...more: readonly string[]): Promise<Daemon> => {
		master = startDaemon(t, seat, masterCommand(place, '--listen', listen, ...credentials, ...more));
		await master.event('master started');
		return master;
	};
	await startMaster();
	const request = startRequester(t, seat);
	const ask = (method: string, path: string, body?: unknown): Promise<Reply> =>
		request(method, url + path, body, { authorization: `Bearer ${OPERATOR}` });
	const state = async () => (await ask('GET', '/overlay-master/state')).json as State;
	const hosts = machines.slice(0, size).map((machine, at) => {
		const token = `${machine.directory}/token`;
		writeFileSync(token, tokens[at] ?? '', { mode: 0o600 });
		const own = ['--master', url, '--token-file', token, ...options];
		if (iptables === undefined) return withAgent(t, machine, own);
		chooseVariant(t, machine, iptables);
		return withAgent(t, { ...machine, natBackend: 'iptables' }, [...own, '--nat-backend', 'iptables']);
	});
	for (const host of hosts) {
		await host.startAgent();
		// One after the other, so that each host has the subnets of its number.
		const { log } = host.agent();
		const isAnswered = () => log.some(({ event }) => event === 'registered' || event === 'master refuses');
		await until(`an answer for ${host.ip}`, isAnswered, 10_000);
	}
	const cluster: RunningCluster = {
		hosts,
		outside,
		place,
		master: () => master,
		startMaster,
		ask,
		state,
		settled: (some = hosts, milliseconds = 10_000) =>
			until(
				'the wanted state and nothing else',
				async () => {
					const now = await state();
					return some.every((host) => host.entries().join() === wantedEntries(now, host.ip).join());
				},
				milliseconds,
			),
	};
	await cluster.settled();
	return cluster;
}

function withAgent(t: ExecutionContext, host: ClusterHost, options: readonly string[]): AgentHost {
	const { directory, ip } = host;
	const place = { cni: `${directory}/cni`, state: `${directory}/state` };
	let request: Requester | undefined;
	const show = (path: string) => (request ??= startRequester(t, host))('GET', `http://127.0.0.1:5056${path}`);
	let agent: Daemon;
	const command = (...more: readonly string[]): string[] => [
		// With the choice of a variant, which is a matter of the mount namespace.
		...(host.natBackend === undefined ? [] : ['ip', 'netns', 'exec', host.name]),
		executable,
		'agent',
		'--ip',
		ip,
		'--cni-dir',
		place.cni,
		'--state-dir',
		place.state,
		'--run-dir',
		directory,
		...(more.includes('--docker') ? [] : ['--docker', 'none']),
		...options,
		...more,
	];
	return {
		...host,
		place,
		reboot: () => {
			host.reboot();
			request = undefined;
		},
		agent: () => agent,
		command,
		startAgent: async (...more) => {
			agent = startDaemon(t, host, command(...more));
			await agent.event('agent started');
			return agent;
		},
		launch: (network, info = {}) => {
			const conf = JSON.parse(readFileSync(`${place.cni}/${network}.conf`, 'utf8')) as Configuration;
			const args = { 'org.apache.mesos': { network_info: { name: network, ...info } } };
			const namespace = host.container();
			const described = attachment(host, namespace, { ...conf, args });
			const { ip4, ip6 } = resultOf(t, described.add());
			const plain = (text: string | undefined) => text?.replace(/\/.*/u, '');
			return { ...described, namespace, address: plain(ip4?.ip) ?? '', address6: plain(ip6?.ip) };
		},
		show,
		overlay: async () => (await show('/overlay-agent/overlay')).json as OverlayDocument,
		masterIs: async () => ((await show('/healthz')).json as { master: string }).master,
		cut: () => {
			const chain = (hook: string) =>
				`chain ${hook} { type filter hook ${hook} priority -400; meta ${hook === 'input' ? 'iif' : 'oif'}name eth0 drop; }`;
			host.must(['nft', `table inet cut { ${chain('input')}; ${chain('output')}; }`]);
		},
		heal: () => void host.must(['nft', 'delete table inet cut']),
		entries: () => entriesOf(host),
	};
}
