// STATUS: whether an ADD could be served now.

import { CniError, CniErrorCode, toCniError } from '../cni/errors.ts';
import type { Request } from '../cni/request.ts';
import { assertBackend } from '../nat/backend.ts';
import { needsNat } from '../nat/configuration.ts';
import { impossibleBridge } from '../netlink/bridge.ts';
import { isKernelError } from '../netlink/netlink-error.ts';
import { NETLINK_ROUTE, openConnection } from '../netlink/socket.ts';
import { addressManager } from './address-manager.ts';
import { findBridge } from './bridge-device.ts';
import { readBridgeConfiguration } from './configuration.ts';

/** Throws CniError 50 when there could be no bridge, no rules or no address. CNI SPEC 1.1 §2 "STATUS" */
export async function status(request: Request): Promise<void> {
	try {
		const { bridge, nat } = readBridgeConfiguration(request);
		assertBridgePossible(request, bridge);
		if (needsNat(nat)) await assertBackend(nat.backend, request.deadline);
		await addressManager(request).status(request);
	} catch (error) {
		const { code, message, details } = toCniError(error);
		const limited = code === CniErrorCode.limitedConnectivity;
		throw new CniError(limited ? code : CniErrorCode.notAvailable, message, { details, cause: error });
	}
}

function assertBridgePossible({ deadline }: Request, bridge: string): void {
	const host = openConnection(NETLINK_ROUTE, deadline);
	if (findBridge(host, bridge) !== undefined) return;
	try {
		host.execute(impossibleBridge(bridge));
	} catch (error) {
		if (!isKernelError(error, 'EADDRNOTAVAIL')) throw error;
	}
}
