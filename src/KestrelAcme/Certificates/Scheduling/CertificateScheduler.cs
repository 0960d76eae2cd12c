using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.RateLimits;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Scheduling;

/// <summary>
/// One loop for all certificates: each has at most one work planned and at most one that runs; a gate bounds how many run at once and how
/// fast they start.
/// </summary>
/// <remarks>Safe for concurrent use. A hundred thousand planned works cost memory, not processor time.</remarks>
internal sealed class CertificateScheduler(
    IWorkGate gate, IssuanceSettings settings, TimeProvider time, ILogger<CertificateScheduler> logger)
{
    private static readonly TimeSpan LargestStep = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan AfterDefect = TimeSpan.FromHours(1);
    private static readonly TimeSpan StarvesAfter = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan StarvationPause = TimeSpan.FromHours(1);

    private static readonly WorkLane[] Lanes = [WorkLane.Renewals, WorkLane.NewOrders, WorkLane.Maintenance];

    private readonly Lock _lock = new();
    private readonly WorkQueue _queue = new();
    private readonly RunningWorks _running = new();
    private readonly Dictionary<string, PlannedWork> _afterwards = new(StringComparer.Ordinal);
    private readonly bool[] _suspectsNext = new bool[Enum.GetValues<WorkLane>().Length];

    // What ends the loop's sleep, made anew at each look at the queue, and when it ends by itself; both under the lock. Many signals are
    // one, and none is lost: a semaphore may give one to the waiter of a sleep that is over.
    private TaskCompletionSource _woken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private DateTimeOffset _sleepsUntil = DateTimeOffset.MaxValue;
    private DateTimeOffset _looksForStarvation;

    /// <summary>Makes room for as many works, where many are about to be planned.</summary>
    public void Expect(int count)
    {
        lock (_lock)
        {
            _queue.EnsureCapacity(count);
        }
    }

    /// <summary>
    /// Plans a work for a certificate, in place of the one that was planned before. One whose certificate is being worked on begins after
    /// that.
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

            // Ten thousand are planned at once, for some day: the loop is not woken for each. A clock that jumped has it look all the same.
            var now = time.GetUtcNow();
            _queue.Set(id, work, now);
            if (work.Due < _sleepsUntil || now >= _sleepsUntil)
            {
                _woken.TrySetResult();
            }
        }
    }

    /// <summary>Forgets a certificate. Work that runs for it goes on.</summary>
    public void Remove(string id)
    {
        lock (_lock)
        {
            _queue.Remove(id);
            _afterwards.Remove(id);
        }
    }

    /// <summary>Runs until cancelled; then waits for the work that is under way.</summary>
    /// <param name="work">Does what is due for a certificate; returns what is planned next, or <see langword="null"/> for nothing. Must not
    /// throw.</param>
    /// <param name="clockWentBack">Plans everything anew: what was planned by a clock that was ahead may lie years away.</param>
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

    /// <returns>How long to sleep until something can be started, and what ends the sleep before.</returns>
    private (TimeSpan Sleep, Task Woken) StartDueWork(Func<string, WorkLane, Task<PlannedWork?>> work)
    {
        lock (_lock)
        {
            var now = time.GetUtcNow();
            _queue.Advance(now);

            // Timers do not see the wall clock jump: it is looked at now and then.
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

    // Timers count whole milliseconds and leave out the rest: it would be spent on looking again and again.
    private static TimeSpan Whole(TimeSpan sleep) => TimeSpan.FromMilliseconds(Math.Ceiling(sleep.TotalMilliseconds));

    /// <returns>When to look at the lane again, if it is held up by its pace.</returns>
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
        return waits && places > 1 ? _running.NextRoom(lane, now) : null;
    }

    /// <summary>
    /// Takes turns between suspects and the others, so that neither waits for all of the other kind. With a single place, suspects go last:
    /// the others are done soon.
    /// </summary>
    /// <returns>Whether a suspect is next; <see langword="null"/> when none may start.</returns>
    private bool? Next(WorkLane lane, int places, DateTimeOffset now)
    {
        if (!_running.HasRoom(lane, places, now))
        {
            return null;
        }

        var other = _queue.PeekDue(lane) is not null;

        // What has merely expired while nothing ran may have all places that nobody else wants.
        var suspect = _queue.PeekDue(lane, suspect: true) is not null
            && (_running.HasRoomForSuspects(lane, places) || (!other && !_queue.HasFailed(lane)));
        return !suspect ? (other ? false : null)
            : !other || (places > 1 && _suspectsNext[(int)lane]);
    }

    // Whatever keeps renewals from being started, a person should hear of it before certificates expire.
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
            // The work promised not to throw; a defect there must cost one certificate an hour, not all of them the loop.
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
            if (_afterwards.Remove(id, out var asked) && (next is null || asked.Due <= next.Value.Due))
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
