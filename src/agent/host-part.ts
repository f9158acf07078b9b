// Makes and keeps this host's part of the networks: in the kernel at once, then rules, files and Docker.

import { messageOf } from '../ipam/lease-error.ts';
import { NETLINK_ROUTE, openConnection } from '../netlink/socket.ts';
import { VTEP } from '../overlay/vtep.ts';
import { type AgentOptions, runPaths } from './agent-options.ts';
import type { ClusterState } from './cluster-state.ts';
import {
	agentNetworks,
	confText,
	keepAgentFile,
	keepConfFiles,
	openNetworks,
	removeConfFiles,
} from './cni-conf-file.ts';
import type { Engine } from './docker-engine.ts';
import { dockerNetworks, keepDockerNetworks } from './docker-network.ts';
import { NOTHING } from './host-state.ts';
import { type Report, startKeeper } from './keeper.ts';
import type { Log } from './log.ts';
import type { AgentMetrics } from './metrics.ts';
import { keepNetworks, networkWishes } from './network-records.ts';
import {
	joinTroubles,
	type NetworkStatus,
	statusOfNetworks,
	type Trouble,
	troubleOfFailures,
} from './network-status.ts';
import { createSerial } from './serial.ts';
import { findUnderlay } from './underlay.ts';
import { wishOf } from './wanted.ts';

export interface HostPart {
	/** Has the host be as a state says, in the kernel when it returns, in the rest soon after. */
	want(state: ClusterState): void;
	/** How the host fares with each of its networks. */
	statuses(): Map<string, NetworkStatus>;
	/** What is wrong with all of them. */
	problems(): readonly string[];
	/** Ends the keeping, and leaves the host as it is. */
	stop(): Promise<void>;
}

interface Surroundings {
	readonly log: Log;
	readonly metrics: AgentMetrics;
	readonly engine: Engine | undefined;
	/** Called when a status has changed. */
	readonly onStatus: () => void;
}

/** Milliseconds after which rules, files and underlay are looked at again, whatever was told. */
const INTERVAL = 2000;
/** So many intervals later also Docker. */
const DOCKER_TURN = 2;
/** Milliseconds for the rules. */
const RULES_LIMIT = 10_000;

const NO_TROUBLE: Trouble = { general: [], ofNetworks: new Map() };

/** Throws NetlinkError when the kernel cannot be listened to. */
export function startHostPart(options: AgentOptions, { log, metrics, engine, onStatus }: Surroundings): HostPart {
	const { ip, places, network, mtu: ownMtu } = options;
	const { agentFile, rules } = runPaths(places);
	let state: ClusterState | undefined;
	let underlayMtu = 0;
	let mtu = 0;
	const troubles = {
		kernel: NO_TROUBLE,
		removal: NO_TROUBLE,
		rules: NO_TROUBLE,
		files: NO_TROUBLE,
		docker: NO_TROUBLE,
	};
	const tried = { files: new Set<string>(), docker: new Set<string>() };
	let unreachable = '';
	let told = '';
	let turn = 0;

	const keeper = startKeeper({
		vtep: VTEP.name,
		onApplied: (report) => tellReport(report),
		onError: (error) => setTrouble('kernel', generally(error)),
	});
	const timer = setInterval(() => look(), INTERVAL);

	function setTrouble(where: keyof typeof troubles, trouble: Trouble): void {
		troubles[where] = trouble;
		tell();
	}

	function tellReport({ causes, actions, failures, milliseconds }: Report): void {
		metrics.applied(actions.length, failures.length, milliseconds / 1000, causes.length > 0);
		const details = { actions: actions.length, milliseconds: Math.round(milliseconds) };
		if (causes.length > 0) log('warn', 'repaired', { ...details, causes });
		else log('info', 'applied', details);
		for (const { action, error } of failures.slice(0, 3)) {
			log('error', 'not applied', { action: action.do, error: messageOf(error) });
		}
		setTrouble('kernel', troubleOfFailures(failures));
	}

	/** Into the kernel. */
	function bringAbout(): void {
		if (state === undefined) return;
		try {
			underlayMtu = readUnderlayMtu(ip);
			const wish = wishOf(state, { ip, underlayMtu, ...(ownMtu !== undefined && { mtu: ownMtu }) });
			mtu = wish?.wanted.vtep?.mtu ?? mtu;
			tellUnreachable(wish?.problems ?? []);
			setTrouble('kernel', troubleOfFailures(keeper.want(wish?.wanted ?? NOTHING).failures));
		} catch (error) {
			setTrouble('kernel', generally(error));
		}
	}

	function tellUnreachable(problems: readonly string[]): void {
		const text = problems.join('; ');
		metrics.unreachable(problems.length);
		if (text !== unreachable && text !== '') log('warn', 'unreachable', { problems: problems.slice(0, 10) });
		unreachable = text;
	}

	const rest = createSerial(async () => {
		const current = state;
		// Without an MTU there is no underlay: it is told, and comes back.
		if (current === undefined || (mtu === 0 && current.agents.has(ip))) return;
		const isKnown = current.agents.has(ip);
		const open = new Set(openNetworks(current, ip));
		await attempt('removal', () => {
			// Nobody is to be launched on what is about to go.
			removeConfFiles(places.cni, (name) => !open.has(name));
			return NO_TROUBLE;
		});
		await attempt('rules', async () => {
			const wishes = isKnown ? networkWishes(current, ip) : [];
			await keepNetworks({ directory: rules, backend: network.backend }, wishes, performance.now() + RULES_LIMIT);
			return NO_TROUBLE;
		});
		await attempt('files', () => {
			keepAgentFile(agentFile, agentNetworks(current, ip, mtu));
			const texts = new Map(Array.from(open, (name) => [name, confText(name, mtu, network, places)]));
			const problems = keepConfFiles(places.cni, texts);
			return { general: [], ofNetworks: new Map(Array.from(problems, ([name, text]) => [name, [text]])) };
		});
		tried.files = new Set(ownNetworks(current));
		tell();
	});

	const docker = createSerial(async () => {
		const current = state;
		if (current === undefined || engine === undefined || mtu === 0) return;
		await attempt('docker', async () => {
			const wanted = dockerNetworks(current, ip, mtu);
			const { made, removed, problems } = await keepDockerNetworks(engine, wanted);
			for (const name of removed) log('info', 'docker network removed', { network: name });
			for (const name of made) log('info', 'docker network made', { network: name });
			metrics.dockerFailures(problems.size);
			return { general: [], ofNetworks: new Map(Array.from(problems, ([name, text]) => [name, [text]])) };
		});
		tried.docker = new Set(ownNetworks(current));
		tell();
	});

	async function attempt(where: keyof typeof troubles, work: () => Trouble | Promise<Trouble>): Promise<void> {
		try {
			setTrouble(where, await work());
		} catch (error) {
			setTrouble(where, generally(error));
		}
	}

	function ownNetworks({ agents }: ClusterState): string[] {
		return Object.keys(agents.get(ip)?.networks ?? {});
	}

	function look(): void {
		if (state === undefined) return;
		try {
			if (readUnderlayMtu(ip) !== underlayMtu) bringAbout();
			else if (isAny(troubles.kernel)) setTrouble('kernel', troubleOfFailures(keeper.compare().failures));
		} catch {
			bringAbout();
		}
		rest.run();
		if (++turn % DOCKER_TURN === 0) docker.run();
	}

	function statuses(): Map<string, NetworkStatus> {
		const names = state === undefined ? [] : ownNetworks(state);
		const isTried = (name: string): boolean =>
			tried.files.has(name) && (engine === undefined || tried.docker.has(name));
		return statusOfNetworks(names, joinTroubles(Object.values(troubles)), isTried);
	}

	/** Tells what has changed about the statuses. */
	function tell(): void {
		const now = statuses();
		const text = JSON.stringify([...now]);
		if (text === told) return;
		const before = new Map(told === '' ? [] : (JSON.parse(told) as [string, NetworkStatus][]));
		told = text;
		for (const [name, { status, error }] of now) {
			const was = before.get(name);
			if (status === 'STATUS_FAILED' && was?.error !== error)
				log('error', 'network failing', { network: name, error });
			if (status === 'STATUS_OK' && was?.status !== status) log('info', 'network well', { network: name });
		}
		onStatus();
	}

	return {
		want: (next) => {
			const isOfAgents = state !== undefined && state.networks === next.networks && state.vteps === next.vteps;
			const isSame = isOfAgents && state?.agents.get(ip) === next.agents.get(ip);
			state = next;
			bringAbout();
			// Of the other agents only the kernel has to know.
			if (isSame) return;
			rest.run();
			docker.run();
		},
		statuses,
		problems: () => joinTroubles(Object.values(troubles)).general,
		stop: async () => {
			clearInterval(timer);
			keeper.stop();
			await Promise.all([rest.stop(), docker.stop()]);
		},
	};
}

function isAny({ general, ofNetworks }: Trouble): boolean {
	return general.length > 0 || ofNetworks.size > 0;
}

function generally(error: unknown): Trouble {
	return { general: [messageOf(error)], ofNetworks: new Map() };
}

function readUnderlayMtu(ip: string): number {
	const connection = openConnection(NETLINK_ROUTE, performance.now() + RULES_LIMIT);
	try {
		return findUnderlay(connection, ip).mtu;
	} finally {
		connection.close();
	}
}
