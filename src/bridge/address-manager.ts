// Whoever gives the container its addresses: our own manager in this process, another IPAM plugin, or nobody.

import { CniError, CniErrorCode } from '../cni/errors.ts';
import { delegate, delegateAdd } from '../cni/delegate.ts';
import type { Plugin } from '../cni/plugin.ts';
import type { Request } from '../cni/request.ts';
import type { Result } from '../cni/result.ts';
import { ipamPlugin } from '../ipam/plugin.ts';

/** The type of our own address manager, which runs in this process. */
export const OUR_IPAM = 'mesos-overlay-ipam';

const nothing: Result = { interfaces: [], ips: [], routes: [], dns: {} };

const nobody: Plugin = {
	about: 'no addresses',
	add: () => nothing,
	del: () => {},
	check: () => {},
	gc: () => {},
	status: () => {},
};

/** Another plugin of CNI_PATH. CNI SPEC 1.1 §4 "Plugin Delegation" */
const other: Plugin = {
	about: 'an IPAM plugin in CNI_PATH',
	async add(request) {
		try {
			const result = await delegateAdd(request);
			if (result.ips.length > 0) return result;
			throw new CniError(
				CniErrorCode.delegateFailed,
				`running IPAM plugin "${request.configuration.ipamType}": it gave no address`,
			);
		} catch (error) {
			// The specification: what failed may have left something behind.
			await delegate(request, 'DEL').catch(() => {});
			throw error;
		}
	},
	del: (request) => delegate(request, 'DEL'),
	check: (request) => delegate(request, 'CHECK'),
	gc: (request) => delegate(request, 'GC'),
	status: (request) => delegate(request, 'STATUS'),
};

/** The address manager that a request's configuration names. */
export function addressManager({ configuration: { ipamType } }: Request): Plugin {
	if (ipamType === '') return nobody;
	return ipamType === OUR_IPAM ? ipamPlugin : other;
}
