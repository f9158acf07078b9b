// Whoever gives the container its addresses: our own manager in this process, another IPAM plugin, or nobody.

import { CniError, CniErrorCode } from '../cni/errors.ts';
import type { Request } from '../cni/request.ts';
import { type AddressManager, ipamPlugin } from '../ipam/plugin.ts';
import type { Leased } from '../ipam/routed.ts';

/** Milliseconds that releasing what was leased may take, whatever is left of the call's own time. */
export const UNDO_TIME = 4000;

/** The type of our own address manager, which runs in this process. */
export const OUR_IPAM = 'mesos-overlay-ipam';

const nothing: Leased = { interfaces: [], ips: [], routes: [], dns: {}, routed: [] };

const nobody: AddressManager = {
	about: 'no addresses',
	add: () => nothing,
	del: () => {},
	check: () => {},
	gc: () => {},
	status: () => {},
	routed: () => [],
};

/** Another plugin of CNI_PATH, CNI SPEC 1.1 §4 "Plugin Delegation". What runs it is loaded only where it is needed. */
const other: AddressManager = {
	about: 'an IPAM plugin in CNI_PATH',
	async add(request) {
		const { delegate, delegateAdd } = await import('../cni/delegate.ts');
		try {
			const result = await delegateAdd(request);
			if (result.ips.length > 0) return { ...result, routed: [] };
			throw new CniError(
				CniErrorCode.delegateFailed,
				`running IPAM plugin "${request.configuration.ipamType}": it gave no address`,
			);
		} catch (error) {
			// The specification: what failed may have left something behind.
			await delegate({ ...request, deadline: performance.now() + UNDO_TIME }, 'DEL').catch(() => {});
			throw error;
		}
	},
	del: (request) => run(request, 'DEL'),
	check: (request) => run(request, 'CHECK'),
	gc: (request) => run(request, 'GC'),
	status: (request) => run(request, 'STATUS'),
	// Its result does not say of which subnet an address without one is.
	routed: () => [],
};

async function run(request: Request, command: 'DEL' | 'CHECK' | 'GC' | 'STATUS'): Promise<void> {
	const { delegate } = await import('../cni/delegate.ts');
	await delegate(request, command);
}

/** The address manager that a request's configuration names. */
export function addressManager({ configuration: { ipamType } }: Request): AddressManager {
	if (ipamType === '') return nobody;
	return ipamType === OUR_IPAM ? ipamPlugin : other;
}
