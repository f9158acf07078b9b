// Attaches a container for the tests that are about what comes after.
import type { ExecutionContext } from 'ava';
import { resultOf } from './assertions.ts';
import { type Attachment, attachment, type Call, type Result } from './cni.ts';
import type { Host } from './host.ts';
import type { Link, Namespace } from './namespace.ts';
import { type Configuration, type Family, networkConfiguration } from './network-configuration.ts';

export interface Attached extends Attachment {
	readonly container: Namespace;
	readonly configuration: Configuration;
	readonly result: Result;
	/** The host end, as the kernel shows it now. */
	port(): Link | undefined;
}

export interface AttachOptions {
	readonly family?: Family;
	readonly container?: Namespace;
	readonly ifname?: string;
	readonly containerId?: string;
	/** Changes to the ADD call. */
	readonly call?: Call;
}

/** ADDs a container, a new one by default, to the host's network; throws when that fails. */
export function attach(
	t: ExecutionContext,
	host: Host,
	keys: Configuration = {},
	options: AttachOptions = {},
): Attached {
	const container = options.container ?? host.container();
	const configuration = networkConfiguration(host, keys, options.family);
	const described = attachment(host, container, configuration, options);
	const result = resultOf(t, described.add(options.call));
	return {
		...described,
		container,
		configuration,
		result,
		port: () =>
			host.links().find(({ ifalias }) => ifalias?.endsWith(` ${described.containerId} ${described.ifname}`)),
	};
}

/** A container that does not get attached, or not at once: the attachment, ready to be called. */
export function prepare(host: Host, keys: Configuration = {}, options: AttachOptions = {}): Attachment {
	return attachment(
		host,
		options.container ?? host.container(),
		networkConfiguration(host, keys, options.family),
		options,
	);
}
