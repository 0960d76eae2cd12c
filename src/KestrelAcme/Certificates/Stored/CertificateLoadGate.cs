using KestrelAcme.Certificates.Model;
using KestrelAcme.Diagnostics;
using KestrelAcme.Tls;

namespace KestrelAcme.Certificates.Stored;

/// <summary>What connections wait for while the store is read: their own certificate, which is read before all others, and at the start what stands in for missing ones.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class CertificateLoadGate(LoadQueue queue, RetiredCertificates superseded, LoadReport report, IssuanceSettings settings, TimeProvider time) : ICertificateLoadGate
{
    // A client gives up after as many seconds, and so does the look at its ClientHello.
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(8);

    private readonly Lock _gate = new();
    private TaskCompletionSource? _starting;
    private Task _looked = Task.CompletedTask;

    /// <inheritdoc/>
    public bool AllPublished => Started.IsCompleted;

    /// <summary>Ends when everything of the start was looked for; never fails.</summary>
    public Task Started => Volatile.Read(ref _starting)?.Task ?? Task.CompletedTask;

    /// <summary>From here to <see cref="CompleteAsync"/>, connections wait for what is read.</summary>
    public void Begin() => Volatile.Write(ref _starting, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));

    /// <summary>Reads certificates, behind those that are being read already.</summary>
    /// <returns>Ends when each of them was looked for; never fails.</returns>
    public Task LoadAsync(IReadOnlyCollection<ManagedCertificate> certificates, CancellationToken stopping)
    {
        var looked = queue.LoadAsync(certificates, stopping);
        lock (_gate)
        {
            if (!AllPublished)
            {
                _looked = Task.WhenAll(_looked, looked);
            }
        }

        return looked;
    }

    /// <summary>Waits until everything was looked for, and puts what is left of earlier settings in the place of what is missing.</summary>
    public async Task CompleteAsync(CancellationToken stopping)
    {
        var starting = _starting!;
        try
        {
            await Looked();
            using var limit = new TimeLimit(settings.LoadTime, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stopping);
            await superseded.PublishAsync(either.Token).WaitAsync(either.Token);
        }
        catch (Exception exception)
        {
            if (!stopping.IsCancellationRequested)
            {
                report.Failed(exception);
            }
        }
        finally
        {
            starting.TrySetResult();
        }
    }

    /// <inheritdoc/>
    public Task PublishAsync(string name) => WaitAsync(queue.ReadNowAsync(name));

    /// <inheritdoc/>
    public Task PublishAllAsync() => WaitAsync(Started);

    private async Task WaitAsync(Task published)
    {
        try
        {
            await published.WaitAsync(LongestWait, time);
        }
        catch (TimeoutException)
        {
            // The connection gets what there is.
        }
    }

    private Task Looked()
    {
        lock (_gate)
        {
            return _looked;
        }
    }
}
