using System.Text.Json;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.RateLimits;

/// <summary>
/// Stores the state of the <see cref="NewOrderRateLimiter"/>, so that it survives restarts and is shared by all instances. Neither a crash
/// loop nor ten replicas begin with a full bucket each.
/// </summary>
internal sealed class NewOrderRateLimiterStore(
    NewOrderRateLimiter pace, BoundedStorage storage, IssuanceSettings settings, TimeProvider time,
    ILogger<NewOrderRateLimiterStore> logger)
{
    private static readonly TimeSpan LeaseDuration = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LeasePoll = TimeSpan.FromMilliseconds(50);

    // Longer than the lease of a process that died.
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);

    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        try
        {
            pace.NewSets = await ReadAsync(cancellationToken);
        }
        catch (StorageUnavailableException exception)
        {
            logger.PaceNotStored(exception.Message);
        }
    }

    /// <summary>Takes the permission to order one new set of names from the bucket that all instances share.</summary>
    /// <returns>The time to ask again; <see langword="null"/> if the permission was taken.</returns>
    /// <exception cref="StorageUnavailableException">
    /// The store could not be read or written, or others do not release the lease. Nothing is ordered by guess.
    /// </exception>
    public async Task<LaterTurn?> TakeAsync(CancellationToken cancellationToken)
    {
        await using var lease = await LeaseWait.AcquireAsync(
            storage, StorageLayout.PaceLease, LeaseDuration, LeasePoll, LongestWait, time, cancellationToken);
        var now = time.GetUtcNow();
        var (bucket, wait) = (await ReadAsync(cancellationToken)).Take(now, settings.NewSetBurst, settings.NewSetInterval);
        await storage.WriteAsync(StorageLayout.Pace, JsonFields.Write(bucket, WriteBucket), lease, cancellationToken);
        pace.NewSets = bucket;
        return wait is { } rest ? new LaterTurn(now + rest) : null;
    }

    private async Task<TokenBucket> ReadAsync(CancellationToken cancellationToken)
    {
        var full = TokenBucket.Full(settings.NewSetBurst);
        if (await storage.ReadAsync(StorageLayout.Pace, cancellationToken) is not { } value)
        {
            return full;
        }

        try
        {
            var stored = JsonFields.Read(value.Span, static json => new TokenBucket(json.Fraction("tokens"), json.Instant("at"))) ?? full;
            stored = stored with { Tokens = Math.Clamp(stored.Tokens, 0, settings.NewSetBurst) };

            // A time from a clock that was far ahead would never fill the bucket again.
            return stored.At > time.GetUtcNow() + TimeSpan.FromHours(1) ? stored with { At = time.GetUtcNow() } : stored;
        }
        catch (JsonException exception)
        {
            logger.PaceNotStored(exception.Message);
            return full;
        }
    }

    private static void WriteBucket(Utf8JsonWriter json, TokenBucket bucket)
    {
        json.WriteNumber("tokens", bucket.Tokens);
        json.WriteString("at", bucket.At);
    }
}

/// <summary>An order may not be placed yet.</summary>
/// <param name="At">The time to ask again.</param>
internal sealed record LaterTurn(DateTimeOffset At);
