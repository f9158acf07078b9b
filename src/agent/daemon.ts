// The agent: keeps its host part of the networks until it is told to stop, and leaves them working then.

import { type AgentOptions, runPaths } from './agent-options.ts';
import {
	changeState,
	type ClusterState,
	networksOf,
	networksWithout,
	stateOfSnapshot,
} from './master/cluster-state.ts';
import { createContact } from './master/contact.ts';
import { countContainers, usageOf } from './plugin/containers.ts';
import { readCredentials } from './master/credentials.ts';
import { takeDirectory } from './directory-lock.ts';
import { engineAt } from './docker/docker-engine.ts';
import { serveEndpoint } from './status/endpoint.ts';
import { healthOf } from './status/health.ts';
import { startHostPart } from './host-part.ts';
import { readInstance } from './master/last-state.ts';
import { log } from './log.ts';
import { createMasterClient } from './master/master-client.ts';
import { createMetrics } from './status/metrics.ts';
import { overlayDocument } from './status/overlay-document.ts';
import { startReadiness } from './status/readiness.ts';
import { reportOf } from './master/registration.ts';
import { startSession } from './master/session.ts';
import { createStateFile } from './master/state-file.ts';
import { newsOfState } from './master/state-news.ts';

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
	const file = createStateFile(places.state, log);
	let state: ClusterState | undefined;
	let usage = '';
	let tellMaster = (): void => {};

	const metrics = createMetrics(() => ({
		statuses: host.statuses(),
		withoutSubnets: state === undefined ? 0 : networksWithout(state, ip).length,
		isConnected: contact.isConnected(),
		agents: state?.agents.size ?? 0,
	}));
	const contact = createContact(log, metrics, () => state !== undefined);
	const host = startHostPart(options, {
		log,
		metrics,
		engine,
		onSettled: startReadiness(),
		onStatus: () => tellMaster(),
	});
	const server = await serveEndpoint(options.listen, {
		document: () => overlayDocument(state, ip, host.statuses(), contact.attempts()),
		health: () => healthOf(host.problems(), state, contact.isConnected()),
		metrics,
		onDefect: (error) => log('error', 'request failed', { error: String(error) }),
	});
	log('info', 'agent started', { ...server.address, ip, instance, master: master.origin });

	const last = file.read();
	if (last !== undefined) {
		log('info', 'last state used', { revision: last.revision, agents: last.agents.size });
		state = last;
		await host.want(last);
	}
	const session = startSession({
		client: createMasterClient(options),
		log,
		report: async () => {
			const names = state === undefined ? [] : networksOf(state, ip);
			const containers = await countContainers(names, leases, engine);
			return reportOf(instance, ip, state, host.statuses(), containers);
		},
		revision: () => state?.revision,
		onEvent: ({ event, data }) => {
			metrics.eventCame();
			if (event === 'snapshot') take(stateOfSnapshot(data));
			else if (state !== undefined) take(changeState(state, data));
		},
		...contact,
	});
	tellMaster = () => {
		// Who was removed does not come back at once: it reports as always, some time later.
		if (state?.agents.has(ip) === true) session.tell();
	};
	const looking = setInterval(tellUsage, LOOK_AFTER);

	function take(next: ClusterState): void {
		const before = state;
		state = next;
		void host.want(next);
		file.keep(next);
		for (const { level, event, details } of newsOfState(before, next, ip)) log(level, event, details);
		if (before?.networks !== next.networks) tellUsage();
	}

	function tellUsage(): void {
		const now = state === undefined ? '' : usageOf(state, ip, leases);
		if (now !== usage) tellMaster();
		usage = now;
	}

	await ended;
	log('info', 'agent stopping');
	clearInterval(looking);
	await session.stop();
	await host.stop();
	await server.close();
	file.flush();
	giveBack();
	log('info', 'agent stopped');
	return 0;
}
