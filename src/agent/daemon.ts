// The agent: keeps its host part of the networks until it is told to stop, and leaves them working then.

import { messageOf } from '../ipam/lease-error.ts';
import { type AgentOptions, runPaths } from './agent-options.ts';
import { changeState, type ClusterState, stateOfSnapshot } from './cluster-state.ts';
import { countContainers, usageOf } from './containers.ts';
import { readCredentials } from './credentials.ts';
import { takeDirectory } from './directory-lock.ts';
import { engineAt } from './docker-engine.ts';
import { serveEndpoint } from './endpoint.ts';
import { startHostPart } from './host-part.ts';
import { readInstance, readLastState, writeLastState } from './last-state.ts';
import { log } from './log.ts';
import { createMasterClient } from './master-client.ts';
import { createMetrics, type Observed } from './metrics.ts';
import { overlayDocument } from './overlay-document.ts';
import { reportOf } from './registration.ts';
import { startSession } from './session.ts';

/** Milliseconds for which changes are collected before they are kept on disk. */
const KEEP_AFTER = 300;
/** Milliseconds after which it is looked again which networks are in use. */
const LOOK_AFTER = 2000;

/** Runs until SIGTERM or SIGINT. Gives the exit status. Throws OptionError, and what a start may throw. */
export async function runAgent(options: AgentOptions): Promise<number> {
	const { ip, places, master, credentials, dockerSocket } = options;
	readCredentials(credentials, master);
	const giveBack = takeDirectory(places.state);
	const { promise: ended, resolve: end } = Promise.withResolvers<void>();
	for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => end());

	const instance = readInstance(places.state);
	const engine = dockerSocket === undefined ? undefined : engineAt(dockerSocket);
	const { leases } = runPaths(places);
	let state: ClusterState | undefined;
	let tellMaster = (): void => {};
	let isConnected = false;
	let attempts = 0;
	let shortages = '';
	let timer: NodeJS.Timeout | undefined;

	const observe = (): Observed => ({
		statuses: host.statuses(),
		withoutSubnets: withoutSubnets(state, ip),
		isConnected,
		agents: state?.agents.size ?? 0,
	});
	const metrics = createMetrics(observe);
	const host = startHostPart(options, { log, metrics, engine, onStatus: () => tellMaster() });

	const keep = (): void => {
		clearTimeout(timer);
		timer = undefined;
		if (state === undefined) return;
		try {
			writeLastState(places.state, state);
		} catch (error) {
			log('error', 'last state not kept', { directory: places.state, error: messageOf(error) });
		}
	};
	let usage = '';
	const tellUsage = (): void => {
		const now = state === undefined ? '' : usageOf(state, ip, leases);
		if (now !== usage) tellMaster();
		usage = now;
	};
	const looking = setInterval(tellUsage, LOOK_AFTER);
	const take = (next: ClusterState): void => {
		const before = state;
		state = next;
		host.want(next);
		timer ??= setTimeout(keep, KEEP_AFTER);
		tellNetworks(before, next, ip);
		if (before?.networks !== next.networks) tellUsage();
	};

	const server = await serveEndpoint(options.listen, {
		document: () => overlayDocument(state, ip, host.statuses(), attempts),
		health: () => healthOf(host.problems(), state, isConnected),
		metrics,
		onDefect: (error) => log('error', 'request failed', { error: String(error) }),
	});
	log('info', 'agent started', { ...server.address, ip, instance, master: master.origin });

	const last = readLast(places.state);
	if (last !== undefined) {
		log('info', 'last state used', { revision: last.revision, agents: last.agents.size });
		state = last;
		host.want(last);
	}
	const session = startSession({
		client: createMasterClient(options),
		log,
		report: async () => {
			const names = Object.keys(state?.agents.get(ip)?.networks ?? {});
			const containers = await countContainers(names, leases, engine);
			return reportOf(instance, ip, state, host.statuses(), containers);
		},
		revision: () => state?.revision,
		onEvent: ({ event, data }) => {
			metrics.eventCame();
			if (event === 'snapshot') take(stateOfSnapshot(data));
			else if (state !== undefined) take(changeState(state, data));
		},
		onAttempt: () => {
			attempts++;
			metrics.registrationSent(state !== undefined);
		},
		onAnswer: (answer) => {
			isConnected = true;
			attempts = 0;
			metrics.registrationAnswered(state !== undefined);
			const messages = answer.shortages.map(({ message }) => message).join('; ');
			if (messages !== shortages && messages !== '') log('warn', 'short', { error: messages });
			shortages = messages;
		},
		onFailure: () => {
			if (!isConnected) metrics.registrationFailed(state !== undefined);
			isConnected = false;
		},
	});

	tellMaster = () => {
		// Who was removed does not come back at once: it reports as always, some time later.
		if (state?.agents.has(ip) === true) session.tell();
	};
	await ended;
	log('info', 'agent stopping');
	clearInterval(looking);
	await session.stop();
	await host.stop();
	await server.close();
	if (timer !== undefined) keep();
	giveBack();
	log('info', 'agent stopped');
	return 0;
}

function readLast(directory: string): ClusterState | undefined {
	try {
		return readLastState(directory);
	} catch (error) {
		log('error', 'last state not used', { directory, error: messageOf(error) });
		return undefined;
	}
}

function tellNetworks(before: ClusterState | undefined, { networks, agents }: ClusterState, ip: string): void {
	if (before?.agents.has(ip) === true && !agents.has(ip)) log('warn', 'agent removed');
	if (before === undefined || before.networks === networks) return;
	const known = new Map(before.networks.map((network) => [network.name, JSON.stringify(network)]));
	for (const network of networks) {
		if (known.get(network.name) !== JSON.stringify(network)) log('info', 'network changed', { ...network });
		known.delete(network.name);
	}
	for (const name of known.keys()) log('info', 'network changed', { name, state: 'removed' });
}

function withoutSubnets(state: ClusterState | undefined, ip: string): number {
	const own = state?.agents.get(ip)?.networks ?? {};
	return state?.networks.filter(({ name }) => own[name] === undefined).length ?? 0;
}

function healthOf(problems: readonly string[], state: ClusterState | undefined, isConnected: boolean) {
	const master = isConnected ? 'connected' : 'away';
	// Without the master, the networks work as they are.
	const isWell = problems.length === 0 && state !== undefined;
	return { isWell, details: { master, revision: state?.revision, problems } };
}
