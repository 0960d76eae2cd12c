using System.Text.Json;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Scheduling;

/// <summary>Keeps the pace of new orders across restarts: a crash loop must not begin each time with a full bucket.</summary>
internal sealed class OrderPaceStore(OrderPace pace, IAcmeStorage storage, ILogger<OrderPaceStore> logger)
{
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (await storage.ReadAsync(StorageLayout.Pace, cancellationToken) is { } value)
            {
                pace.NewSets = JsonSerializer.Deserialize(value.Span, PersistenceJsonContext.Default.TokenBucket);
            }
        }
        catch (Exception exception) when (exception is StorageUnavailableException or JsonException)
        {
            // A full bucket is what a new installation has: it stays within the authority's limits by itself.
            logger.PaceNotStored(exception.Message);
        }
    }

    public async Task SaveAsync(CancellationToken cancellationToken)
    {
        try
        {
            await storage.WriteAsync(StorageLayout.Pace, JsonSerializer.SerializeToUtf8Bytes(pace.NewSets, PersistenceJsonContext.Default.TokenBucket), lease: null, cancellationToken);
        }
        catch (StorageUnavailableException exception)
        {
            logger.PaceNotStored(exception.Message);
        }
    }
}
