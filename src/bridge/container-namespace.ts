// The container's network namespace, opened and found fit before anything is done.

import { CniError, CniErrorCode } from '../cni/errors.ts';
import type { Request } from '../cni/request.ts';
import { isOwnNamespace, type NetworkNamespace, openNetworkNamespace } from '../linux/network-namespace.ts';

/**
 * Opens the namespace of CNI_NETNS. Throws NamespaceError when it leads to none, and CniError 8 when it is the host's
 * own, in which an attachment would make the host its own container; `CNI_NETNS_OVERRIDE` allows even that.
 */
export function openContainerNamespace({ netns, environment }: Request): NetworkNamespace {
	const namespace = openNetworkNamespace(netns);
	const override = environment['CNI_NETNS_OVERRIDE'] ?? '';
	if (override !== '1' && override.toLowerCase() !== 'true' && isOwnNamespace(namespace)) {
		namespace.close();
		throw new CniError(
			CniErrorCode.invalidNamespace,
			`using network namespace "${netns}": CNI_NETNS is the plugin's own network namespace, not a container's`,
		);
	}
	return namespace;
}
