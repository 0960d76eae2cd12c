namespace KestrelAcme.Certificates.Loading;

/// <summary>A certificate that is to be read from the store.</summary>
internal sealed class UnreadCertificate(ManagedCertificate certificate)
{
    private readonly TaskCompletionSource _read = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _claimed;

    public ManagedCertificate Certificate { get; } = certificate;

    public IEnumerable<string> Names { get; } = [.. certificate.Specification.Identifiers.Select(i => i.Value)];

    /// <summary>Ends when it was read, or could not be.</summary>
    public Task Read => _read.Task;

    /// <summary>Whether the caller is the one to read it. Called under the queue's lock.</summary>
    public bool TryClaim() => !_claimed && (_claimed = true);

    public void Finish()
    {
        Certificate.IsLoaded = true;
        _read.TrySetResult();
    }
}
