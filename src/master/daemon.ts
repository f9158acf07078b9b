// The master: serves until it is told to stop.

import type { RequestListener } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { messageOf } from '../ipam/lease-error.ts';
import { tellReady } from '../linux/service-manager.ts';
import { agentRoutes } from './agent-routes.ts';
import { createApi } from './api.ts';
import { hasCredentials } from './authentication.ts';
import { createFeed, type Feed } from './feed.ts';
import { createGuard, type Guard } from './guard.ts';
import { hostNetworks } from './host-networks.ts';
import { keepHouse } from './housekeeping.ts';
import { listen, type Listening } from './listen.ts';
import { log } from './log.ts';
import { isLoopback, listenAddressOf, type MasterOptions } from './master-options.ts';
import { createMetrics } from './metrics.ts';
import { networkRoutes } from './network-routes.ts';
import { isLasting } from './observed-store.ts';
import { createPresence } from './presence.ts';
import { serviceRoutes } from './service-routes.ts';
import type { Services } from './services.ts';
import { type Opened, openState } from './start.ts';
import { createStatePages } from './state-page.ts';
import { stateRoutes } from './state-routes.ts';
import { readTlsFiles } from './tls-files.ts';

/** Runs until SIGTERM or SIGINT, or until the store fails for good. Gives the exit status. Throws what a start may throw. */
export async function runMaster(options: MasterOptions): Promise<number> {
	const address = listenAddressOf(options);
	const guard = createGuard(options);
	const tls = readTlsFiles(options);
	const opened = await openState(options);
	const { store } = opened;
	const { promise: ended, resolve: end } = Promise.withResolvers<number>();
	const services = assemble(options, opened);
	store.onCommit((seconds, error) => {
		services.metrics.commitEnded(error === undefined, seconds);
		if (error === undefined) return;
		log('error', 'store failed', { error: messageOf(error) });
		// What is on the disk now is known only when it is read anew.
		if (isLasting(error)) end(1);
	});
	try {
		const listening = await listen(address, listenerOf(services, guard), tls);
		const stopKeeping = keepHouse(services);
		process.on('SIGHUP', () => renew(options, guard, listening, services.feed));
		for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => end(0));
		tellStart(options, services, listening);
		tellReady();
		const status = await ended;
		log('info', 'master stopping', { status });
		stopKeeping();
		services.feed.close();
		await listening.close();
		log('info', 'master stopped');
		return status;
	} finally {
		services.feed.close();
		await store.close();
	}
}

/** What the routes work with. */
function assemble(options: MasterOptions, { registry, store, run }: Opened): Services {
	const presence = createPresence(() => performance.now());
	const feed = createFeed(registry, () => log('warn', 'watcher too slow'));
	const { durable, earlierRuns } = registry;
	const metrics = createMetrics(() => ({
		state: durable,
		restarts: earlierRuns,
		aliveAgents: () => [...durable.agents.keys()].filter((ip) => presence.isAlive(ip)).length,
		watchers: () => feed.size(),
	}));
	let backups = 0;
	return {
		registry,
		store,
		presence,
		feed,
		metrics,
		log,
		statePage: createStatePages(registry, presence, run),
		hostNetworks: () => (options.besideHost ? hostNetworks() : []),
		backupPath: () => `${options.state}.backup-${run}-${++backups}`,
		now: () => Date.now(),
		quarantine: options.quarantine,
	};
}

function listenerOf(services: Services, { identify }: Guard): RequestListener {
	const { metrics } = services;
	const routes = [...stateRoutes(services), ...agentRoutes(services), ...networkRoutes(services)];
	const api = createApi([...routes, ...serviceRoutes(services, routes)], { identify, metrics, log });
	const listener = getRequestListener(api.fetch, { overrideGlobalObjects: false });
	return (request, response) => void listener(request, response);
}

function tellStart(
	{ configuration, state, credentials, certificate }: MasterOptions,
	{ registry }: Services,
	{ address: { host, port } }: Listening,
): void {
	if (!hasCredentials(credentials)) {
		log('warn', 'no credentials', { what: 'whoever can reach the loopback of this host may do everything' });
	} else if (certificate === undefined && !isLoopback(host)) {
		log('warn', 'no encryption', {
			what: 'whoever can read the traffic can read the tokens: set --tls-certificate',
		});
	}
	const { agents, networks } = registry.durable;
	const counts = { agents: agents.size, networks: networks.size, revision: registry.revision() };
	log('info', 'master started', { host, port, tls: certificate !== undefined, configuration, state, ...counts });
}

function renew(options: MasterOptions, guard: Guard, listening: Listening, feed: Feed): void {
	if (!guard.renew()) return;
	// The credentials that these were asked for with may be no more.
	feed.dismiss();
	try {
		const tls = readTlsFiles(options);
		if (tls !== undefined) listening.renew(tls);
		log('info', 'credentials read');
	} catch (error) {
		log('error', 'credentials not read', { error: messageOf(error) });
	}
}
