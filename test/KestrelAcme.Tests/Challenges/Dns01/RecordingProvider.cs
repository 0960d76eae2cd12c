using System.Collections.Concurrent;
using KestrelAcme.Challenges.Dns01;

namespace KestrelAcme.Tests.Challenges.Dns01;

/// <summary>A provider that records all calls and passes them on.</summary>
internal sealed class RecordingProvider(Action<DnsTxtRecord>? created = null) : IDnsProvider
{
    public string Description => "a provider";

    public ConcurrentQueue<DnsTxtRecord> Created { get; } = new();

    public Task CreateTxtAsync(DnsTxtRecord record, CancellationToken cancellationToken)
    {
        Created.Enqueue(record);
        created?.Invoke(record);
        return Task.CompletedTask;
    }

    public Task DeleteTxtAsync(DnsTxtRecord record, CancellationToken cancellationToken) => Task.CompletedTask;
}
