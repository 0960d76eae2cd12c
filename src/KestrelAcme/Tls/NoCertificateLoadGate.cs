namespace KestrelAcme.Tls;

/// <summary>Where everything is published by whoever has it, and nothing is waited for.</summary>
internal sealed class NoCertificateLoadGate : ICertificateLoadGate
{
    /// <inheritdoc/>
    public bool AllPublished => true;

    /// <inheritdoc/>
    public Task PublishAsync(string name) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task PublishAllAsync() => Task.CompletedTask;
}
