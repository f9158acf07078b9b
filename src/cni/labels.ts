// The labels of a container, by which the caller says what runs in it.

import { type Fields, readFields, readFieldsList, readString } from './fields.ts';
import type { NetworkConfiguration } from './network-configuration.ts';

export interface Label {
	readonly key: string;
	readonly value: string | undefined;
}

type Caller = Pick<NetworkConfiguration, 'mesos' | 'args'>;

/**
 * The labels of Mesos' `network_info.labels` (include/mesos/mesos.proto), then those of `args.cni.labels` (CNI CONVENTIONS
 * "labels"). What is no label is passed over.
 */
export function labelsOf({ mesos, args }: Caller): Label[] {
	const ofMesos = mesos && readFields(lenient(mesos), 'labels');
	const entries = [ofMesos, args && lenient(args)].flatMap(
		(fields) => (fields && readFieldsList(fields, 'labels')) ?? [],
	);
	return entries.flatMap((entry) => {
		const key = readString(entry, 'key');
		return key === undefined ? [] : [{ key, value: readString(entry, 'value') }];
	});
}

/** The value of the first label of a name; undefined when there is none. */
export function labelOf(caller: Caller, name: string): string | undefined {
	return labelsOf(caller).find(({ key }) => key === name)?.value;
}

function lenient(fields: Fields): Fields {
	return { ...fields, lenient: true };
}
