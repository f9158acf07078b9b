// The IPAM plugin, called for a network that has a data directory of its own.
import type { ExecutionContext } from 'ava';
import { toCniError } from '../../src/cni/errors.ts';
import type { Command, Request } from '../../src/cni/request.ts';
import type { Result } from '../../src/cni/result.ts';
import { listLeases } from '../../src/ipam/leases.ts';
import { ipamPlugin } from '../../src/ipam/plugin.ts';
import { storeOf } from '../../src/ipam/store.ts';
import { configurationOf, minimal, requestOf } from '../cni/requests.ts';
import { temporaryDirectory } from './stores.ts';

interface Call {
	readonly ipam?: Record<string, unknown>;
	/** Other top-level keys. */
	readonly keys?: Record<string, unknown>;
	readonly rest?: Partial<Request>;
}

/** A network with `base` as its `ipam`. */
export function network(t: ExecutionContext, base: Record<string, unknown> = { agentSubnet: '9.0.1.0/26' }) {
	const dataDir = temporaryDirectory(t);
	const request = (command: Command, { ipam = {}, keys = {}, rest = {} }: Call = {}): Request => {
		const decoded = { ...minimal, ipam: { dataDir, ...base, ...ipam }, ...keys };
		return requestOf({}, { command, configuration: configurationOf(decoded, command), ...rest });
	};
	const store = storeOf(dataDir, 'dcos');
	return {
		dataDir,
		store,
		add: async (call?: Call): Promise<Result> => ipamPlugin.add(request('ADD', call)),
		del: async (call?: Call) => ipamPlugin.del(request('DEL', call)),
		check: async (prevResult: unknown, call: Call = {}) =>
			ipamPlugin.check(request('CHECK', { ...call, keys: { prevResult, ...call.keys } })),
		gc: async (keys: Record<string, unknown>) => ipamPlugin.gc(request('GC', { keys })),
		status: async (call?: Call) => ipamPlugin.status(request('STATUS', call)),
		leased: () =>
			listLeases(store)
				.found.map(({ address, containerId }) => `${address} ${containerId}`)
				.toSorted(),
	};
}

/** That a call fails with this code and message. */
export async function refused(
	t: ExecutionContext,
	act: () => Promise<unknown>,
	code: number,
	message: string,
): Promise<void> {
	const error = toCniError(await t.throwsAsync(act));
	t.is(error.message, message);
	t.is(error.code, code);
}
