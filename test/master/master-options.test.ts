import test from 'ava';
import { listenAddressOf, OptionError, readListenAddress, readQuarantine } from '../../src/master/master-options.ts';

for (const [text, host, port] of [
	['10.0.0.1:5055', '10.0.0.1', 5055],
	['[fd00::1]:80', 'fd00::1', 80],
	['localhost:0', 'localhost', 0],
	['5055', '::', 5055],
] as const) {
	test(`listening on ${text}`, (t) => t.deepEqual(readListenAddress(text), { host, port }));
}

for (const text of ['', 'x', '10.0.0.1', '10.0.0.1:', ':5055', '10.0.0.1:65536', 'fd00::1', '10.0.0.1:5055x']) {
	test(`not listening on "${text}"`, (t) => {
		t.throws(() => readListenAddress(text), { instanceOf: OptionError });
	});
}

test('the quarantine is a number of seconds', (t) => {
	t.is(readQuarantine('600'), 600_000);
	for (const text of ['', '-1', '1.5', '604801', 'x'])
		t.throws(() => readQuarantine(text), { instanceOf: OptionError });
});

test('without credentials only the loopback, with them everywhere unless told otherwise', (t) => {
	const options = {
		configuration: '',
		state: '',
		listen: undefined,
		credentials: {},
		certificate: undefined,
		quarantine: 0,
		force: false,
		besideHost: false,
	};
	t.deepEqual(listenAddressOf(options), { host: '127.0.0.1', port: 5055 });
	for (const host of ['127.0.0.9', '::1', 'localhost']) {
		t.is(listenAddressOf({ ...options, listen: { host, port: 1 } }).host, host);
	}
	for (const host of ['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.example.org']) {
		t.throws(() => listenAddressOf({ ...options, listen: { host, port: 1 } }), { instanceOf: OptionError });
	}
	const credentials = { agentTokens: 'file' };
	t.deepEqual(listenAddressOf({ ...options, credentials }), { host: '::', port: 5055 });
});
