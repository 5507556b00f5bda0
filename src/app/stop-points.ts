// Named points where a test can stop the program as a crash would: RUSTINE_STOP_AT=planned or planned:3 (third time).

/** Kills this process at the point, without any clean-up: what a power cut does. */
export function stopPoints(wanted: string | undefined): (name: string) => void {
  if (wanted === undefined || wanted === '') return () => undefined;
  const [point, times = '1'] = wanted.split(':');
  let left = Number(times);
  return (name) => {
    if (name === point && --left === 0) process.kill(process.pid, 'SIGKILL');
  };
}
