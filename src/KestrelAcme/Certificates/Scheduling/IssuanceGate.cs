using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Scheduling;

/// <summary>Finds out whether this instance orders certificates: at startup, and after each change of the configuration.</summary>
internal sealed class IssuanceGate(
    IssuanceStatus status, ConfigurationSource configuration, BoundedStorage storage, ILogger<IssuanceGate> logger)
{
    /// <summary>The reason if that is what is configured.</summary>
    public const string ServesOnly = "AcmeHttps:Issuance is ServeOnly: this instance serves what the store holds and orders nothing.";

    /// <summary>Asks the store for its health, and decides.</summary>
    /// <param name="isQuiet">Whether nothing is logged, because there is no certificate to order.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public async Task UpdateAsync(bool isQuiet, CancellationToken cancellationToken)
    {
        var report = await storage.CheckAsync(cancellationToken);
        if (!isQuiet && report is { Explanation: { } explanation } and ({ Readable: false } or { Writable: false }))
        {
            logger.StoreNeedsAttention(report.Place, explanation);
        }

        var before = status.ReasonNotToOrder;
        var reason = ReasonNotToOrder(configuration.Current, report);
        status.ReasonNotToOrder = reason;
        if (!isQuiet && reason is not null && reason != before)
        {
            logger.NothingIsOrdered(reason);
        }
    }

    /// <summary>Decides whether an instance may order certificates. Pure.</summary>
    /// <returns>The reason and the fix; <see langword="null"/> if certificates may be ordered.</returns>
    public static string? ReasonNotToOrder(ConfigurationSnapshot configuration, StorageHealth storage)
    {
        if (configuration.Issuance == IssuanceMode.ServeOnly)
        {
            return ServesOnly;
        }

        if (configuration.NoAuthorityReason is { } reason)
        {
            return reason;
        }

        // If every start began with an empty store, every start would use up rate limits of the CA.
        if (storage.Durable || configuration.AllowEphemeralStorage || !configuration.Authorities.Any(a => a.IsPublic))
        {
            return null;
        }

        return storage.Explanation
            ?? $"The store at {storage.Place} does not survive a restart. Set AcmeHttps:StoragePath to a place that does, "
            + "or AcmeHttps:AllowEphemeralStorage to true.";
    }
}

/// <summary>Whether this instance orders certificates.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class IssuanceStatus
{
    private const string Starting = "The start is not finished.";

    private volatile string? _reason = Starting;
    private long _heldUntil;

    /// <summary>Whether it is known: the start is finished.</summary>
    public bool IsKnown => _reason != Starting;

    /// <summary>The reason and the fix; <see langword="null"/> if certificates may be ordered.</summary>
    public string? ReasonNotToOrder
    {
        get => _reason;
        set => _reason = value;
    }

    /// <summary>
    /// The time before which no certificate is ordered that does not exist yet, because it may be found elsewhere; <see langword="null"/>
    /// if they may be ordered.
    /// </summary>
    public DateTimeOffset? NewOrdersHeldUntil
    {
        get => Interlocked.Read(ref _heldUntil) is > 0 and var ticks ? new DateTimeOffset(ticks, TimeSpan.Zero) : null;
        set => Interlocked.Exchange(ref _heldUntil, value?.UtcTicks ?? 0);
    }
}
