using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Orders;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Storage;

namespace KestrelAcme.Certificates.Scheduling;

/// <summary>
/// Spares the store of a fleet: each instance polls for renewal information every two minutes only, at a second of its own, and reads first
/// what another one has stored meanwhile, for many certificates at once. So the first instance after a poll is due makes it, and the others
/// neither take a lease nor ask the CA.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class RenewalInfoTurns(
    CertificateStore store, IssuanceSettings settings, JitterSource jitter, TimeProvider time)
{
    private const int TurnsBeforeFirst = 180;

    private readonly TimeSpan _phase = settings.RenewalInfoTurn * jitter();
    private readonly ConcurrentQueue<ManagedCertificate> _waiting = new();
    private readonly ConditionalWeakTable<ManagedCertificate, Turn> _turns = [];

    /// <summary>Returns the information that is about the current certificate; <see langword="null"/> if there is none.</summary>
    public static RenewalInfoRecord? Fitting(ManagedCertificate certificate)
        => certificate.State.RenewalInfo is { } info && info.SerialNumber == certificate.Current?.SerialNumber ? info : null;

    /// <summary>Returns the time to wait; <see langword="null"/> if it is this instance's turn.</summary>
    public TimeSpan? WaitFor(ManagedCertificate certificate)
    {
        // The instance that obtained a certificate polls at once the first time.
        var poll = (certificate.Current?.SerialNumber, Fitting(certificate)?.NextPoll);
        var turn = _turns.GetOrCreateValue(certificate);
        if (settings.RenewalInfoTurn == TimeSpan.Zero || poll == turn.Poll || (poll.NextPoll is null && !certificate.IsAdopted))
        {
            return null;
        }

        (turn.Poll, turn.IsRead) = (poll, false);
        _waiting.Enqueue(certificate);

        // The instance that obtained a certificate asks about it. The others find that within six hours, for many at once.
        var turns = poll.NextPoll is null ? TurnsBeforeFirst : 1;
        var span = settings.RenewalInfoTurn * turns;
        return span - TimeSpan.FromTicks((time.GetUtcNow().UtcTicks + (_phase.Ticks * turns)) % span.Ticks);
    }

    /// <summary>Reads the stored information of a certificate, and of those that have waited longest, once for each poll.</summary>
    /// <exception cref="StorageUnavailableException">The store cannot be read at all.</exception>
    public async Task RefreshAsync(ManagedCertificate certificate, CancellationToken cancellationToken)
    {
        if (_turns.GetOrCreateValue(certificate).IsRead)
        {
            return;
        }

        var byId = new Dictionary<string, ManagedCertificate>(StringComparer.Ordinal) { [certificate.Id] = certificate };
        while (byId.Count < TolerantReader.BatchSize && _waiting.TryDequeue(out var waiting))
        {
            if (IsDue(waiting))
            {
                byId[waiting.Id] = waiting;
            }
        }

        foreach (var read in byId.Values)
        {
            _turns.GetOrCreateValue(read).IsRead = true;
        }

        await foreach (var (id, state) in store.ReadStatesAsync(byId.Keys, cancellationToken))
        {
            if (state.RenewalInfo is { } stored
                && stored.SerialNumber == byId[id].Current?.SerialNumber
                && !(Fitting(byId[id])?.NextPoll >= stored.NextPoll))
            {
                CertificateStateWriter.ChangeUnstored(byId[id], known => known with { RenewalInfo = stored });
            }
        }
    }

    /// <summary>Whether it is time to ask the CA about a certificate.</summary>
    public bool IsDue(ManagedCertificate certificate)
    {
        var now = time.GetUtcNow();
        return ClockGuard.NextPoll(Fitting(certificate), now) <= now;
    }

    /// <summary>The poll that an instance has waited for, and whether it has read what another one may have stored.</summary>
    private sealed class Turn
    {
        public (string? SerialNumber, DateTimeOffset? NextPoll) Poll { get; set; }

        public bool IsRead { get; set; }
    }
}
