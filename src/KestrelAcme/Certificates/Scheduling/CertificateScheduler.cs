using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.RateLimits;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Scheduling;

/// <summary>
/// One loop for all certificates. Each certificate has at most one planned and one running job. A gate limits how many jobs run at once and
/// how fast they start.
/// </summary>
/// <remarks>Safe for concurrent use. A hundred thousand planned jobs cost memory, but no processor time.</remarks>
internal sealed class CertificateScheduler(
    IWorkGate gate, IssuanceSettings settings, TimeProvider time, ILogger<CertificateScheduler> logger)
{
    private static readonly TimeSpan LargestStep = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan AfterDefect = TimeSpan.FromHours(1);
    private static readonly TimeSpan StarvesAfter = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan StarvationPause = TimeSpan.FromHours(1);

    private static readonly WorkLane[] Lanes = [WorkLane.Renewals, WorkLane.NewOrders, WorkLane.OnDemand, WorkLane.Maintenance];

    private readonly Lock _lock = new();
    private readonly WorkQueue _queue = new();
    private readonly RunningWorks _running = new();
    private readonly Dictionary<string, PlannedWork> _afterwards = new(StringComparer.Ordinal);
    private readonly bool[] _suspectsNext = new bool[Enum.GetValues<WorkLane>().Length];

    // Ends the sleep of the loop; replaced each time the loop checks the queue. The time is the planned end of the sleep. Both are used
    // under the lock. Many signals count as one, and none is lost: a semaphore might give one to a waiter whose sleep is over.
    private TaskCompletionSource _woken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private DateTimeOffset _sleepsUntil = DateTimeOffset.MaxValue;
    private DateTimeOffset _looksForStarvation;

    /// <summary>Reserves room for jobs that are about to be planned.</summary>
    public void Expect(int count)
    {
        lock (_lock)
        {
            _queue.EnsureCapacity(count);
        }
    }

    /// <summary>
    /// Plans a job for a certificate, and replaces the one that was planned before. If a job of the certificate is running, the new one
    /// starts after it.
    /// </summary>
    public void Schedule(string id, PlannedWork work)
    {
        lock (_lock)
        {
            if (_running.Contains(id))
            {
                _afterwards[id] = work;
                return;
            }

            // When ten thousand are planned at once for a later day, the loop does not wake for each. After a jump of the clock it does.
            var now = time.GetUtcNow();
            _queue.Set(id, work, now);
            if (work.Due < _sleepsUntil || now >= _sleepsUntil)
            {
                _woken.TrySetResult();
            }
        }
    }

    /// <summary>Removes a certificate. A job in progress goes on.</summary>
    public void Remove(string id)
    {
        lock (_lock)
        {
            _queue.Remove(id);
            _afterwards.Remove(id);
        }
    }

    /// <summary>Returns how many jobs of a lane are due and wait for a free slot.</summary>
    public int CountDue(WorkLane lane)
    {
        lock (_lock)
        {
            return _queue.CountDue(lane);
        }
    }

    /// <summary>Runs until canceled, then waits for the jobs in progress.</summary>
    /// <param name="work">
    /// Runs the due job of a certificate, and returns the next one, or <see langword="null"/> for none. Must not throw.
    /// </param>
    /// <param name="clockWentBack">Plans everything again, because the times of a clock that was ahead may be years away.</param>
    /// <param name="cancellationToken">Ends the loop.</param>
    public async Task RunAsync(Func<string, WorkLane, Task<PlannedWork?>> work, Action clockWentBack, CancellationToken cancellationToken)
    {
        var last = time.GetUtcNow();
        while (!cancellationToken.IsCancellationRequested)
        {
            var now = time.GetUtcNow();
            if (now < last - LargestStep)
            {
                logger.ClockWentBack(last, now);
                clockWentBack();
            }

            last = now;
            var (sleep, woken) = StartDueWork(work);
            WarnOfStarvation(now);
            await SleepAsync(sleep, woken, cancellationToken);
        }

        Task running;
        lock (_lock)
        {
            running = _running.WhenAll;
        }

        await running;
    }

    /// <returns>How long to sleep until something can be started, and the task that ends the sleep earlier.</returns>
    private (TimeSpan Sleep, Task Woken) StartDueWork(Func<string, WorkLane, Task<PlannedWork?>> work)
    {
        lock (_lock)
        {
            var now = time.GetUtcNow();
            _queue.Advance(now);

            // Timers do not notice a jump of the wall clock, so the loop checks it now and then.
            var wake = now + settings.LongestSleep;
            foreach (var lane in Lanes)
            {
                if (StartLane(lane, work, now) is { } again && again < wake)
                {
                    wake = again;
                }
            }

            if (_queue.NextDue() is { } next && next < wake)
            {
                wake = next;
            }

            _sleepsUntil = wake;
            _woken = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return (wake > now ? Whole(wake - now) : TimeSpan.Zero, _woken.Task);
        }
    }

    // Timers drop fractions of a millisecond: the loop would spin for the rest.
    private static TimeSpan Whole(TimeSpan sleep) => TimeSpan.FromMilliseconds(Math.Ceiling(sleep.TotalMilliseconds));

    /// <returns>The time to check the lane again, if its rate limit holds it up.</returns>
    private DateTimeOffset? StartLane(WorkLane lane, Func<string, WorkLane, Task<PlannedWork?>> work, DateTimeOffset now)
    {
        var places = gate.Places(lane);
        while (Next(lane, places, now) is { } suspect)
        {
            if (gate.TryStart(lane, now) is { } later)
            {
                return later;
            }

            var id = _queue.PeekDue(lane, suspect)!;
            var planned = _queue.TakeDue(lane, suspect);
            _suspectsNext[(int)lane] = !suspect;
            _running.Add(id, planned, suspect, now, Task.Run(() => RunOneAsync(id, lane, work), CancellationToken.None));
        }

        var waits = _queue.PeekDue(lane) is not null || _queue.PeekDue(lane, suspect: true) is not null;
        return waits && places > 1 ? _running.NextRoom(lane, places, now) : null;
    }

    /// <summary>
    /// Alternates between suspects and the others, so that neither kind waits for all of the other. With a single slot, suspects go last,
    /// because the others finish soon.
    /// </summary>
    /// <returns>Whether a suspect is next; <see langword="null"/> if none may start.</returns>
    private bool? Next(WorkLane lane, int places, DateTimeOffset now)
    {
        if (!_running.HasRoom(lane, places, now))
        {
            return null;
        }

        var other = _queue.PeekDue(lane) is not null;

        // A certificate that expired while the app did not run may take every slot that no other job wants.
        var suspect = _queue.PeekDue(lane, suspect: true) is not null
            && (_running.HasRoomForSuspects(lane, places) || (!other && !_queue.HasFailed(lane)));
        return !suspect ? (other ? false : null)
            : !other || (places > 1 && _suspectsNext[(int)lane]);
    }

    // The operator must learn that renewals do not start before certificates expire.
    private void WarnOfStarvation(DateTimeOffset now)
    {
        int count;
        string? longest;
        DateTimeOffset since;
        string holders;
        lock (_lock)
        {
            if (now < _looksForStarvation && _looksForStarvation <= now + StarvationPause)
            {
                return;
            }

            (count, longest, since) = _queue.DueSinceBefore(WorkLane.Renewals, now - StarvesAfter);
            _looksForStarvation = now + (longest is null ? LargestStep : StarvationPause);
            holders = longest is null ? "" : _running.Describe(WorkLane.Renewals);
        }

        if (longest is not null)
        {
            logger.RenewalsStarve(count, StarvesAfter.TotalMinutes, longest, since, holders);
        }
    }

    private async Task RunOneAsync(string id, WorkLane lane, Func<string, WorkLane, Task<PlannedWork?>> work)
    {
        PlannedWork? next;
        try
        {
            next = await work(id, lane);
        }
        catch (Exception exception)
        {
            // The job must not throw. A bug costs one certificate an hour, not the loop for all of them.
            logger.WorkFailed(id, exception);
            var later = time.GetUtcNow() + AfterDefect;
            next = new PlannedWork(later, WorkLane.Maintenance, later);
        }

        Finish(id, next);
    }

    private void Finish(string id, PlannedWork? next)
    {
        lock (_lock)
        {
            _running.Remove(id);
            if (_afterwards.Remove(id, out var asked) && (next is null || asked.Due <= next.Due))
            {
                next = asked;
            }

            if (next is { } planned)
            {
                _queue.Set(id, planned, time.GetUtcNow());
            }

            _woken.TrySetResult();
        }
    }

    private async Task SleepAsync(TimeSpan sleep, Task woken, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(Task.Delay(sleep, time, limit.Token), woken);
        await limit.CancelQuietlyAsync();
    }
}
