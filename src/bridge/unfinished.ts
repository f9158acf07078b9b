// What configurations may ask for, and this version cannot do: refused, since a container without it would be a surprise.

import { CniError, CniErrorCode } from '../cni/errors.ts';
import { type Fields, readBoolean, readFields, readList, valueOf } from '../cni/fields.ts';
import type { NetworkConfiguration } from '../cni/network-configuration.ts';

/** Throws CniError 2 for masquerading, host ports and bandwidth limits. */
export function refuseUnfinished({ fields, runtimeConfig, mesos }: NetworkConfiguration): void {
	if (readBoolean(fields, 'ipMasq') === true) {
		throw unsupported('ipMasq: true', 'masquerading is not supported yet; leave the key out');
	}
	for (const [owner, key] of [
		[runtimeConfig, 'portMappings'],
		[mesos, 'port_mappings'],
	] satisfies [Fields | undefined, string][]) {
		const mappings = owner && readList(owner, key);
		if (owner !== undefined && mappings !== undefined && mappings.length > 0) {
			throw unsupported(`${owner.path}${key}: ${JSON.stringify(mappings)}`, 'host ports are not supported yet');
		}
	}
	for (const owner of [fields, runtimeConfig]) {
		const bandwidth = owner && readFields(owner, 'bandwidth');
		if (owner !== undefined && bandwidth !== undefined && bandwidth.entries.size > 0) {
			const limits = JSON.stringify(valueOf(owner, 'bandwidth'));
			throw unsupported(`${owner.path}bandwidth: ${limits}`, 'bandwidth limits are not supported yet');
		}
	}
}

function unsupported(field: string, why: string): CniError {
	return new CniError(CniErrorCode.unsupportedField, `reading ${field}: ${why}`);
}
