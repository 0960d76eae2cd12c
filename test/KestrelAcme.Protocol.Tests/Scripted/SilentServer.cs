namespace KestrelAcme.Protocol.Tests.Scripted;

/// <summary>An HTTP handler that never responds.</summary>
internal sealed class SilentServer : HttpMessageHandler
{
    private int _requests;

    public int Requests => _requests;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _requests);
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        throw new InvalidOperationException("Nothing ends this but a cancellation.");
    }
}
