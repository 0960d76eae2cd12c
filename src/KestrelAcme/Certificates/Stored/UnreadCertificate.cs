using KestrelAcme.Certificates.Model;

namespace KestrelAcme.Certificates.Stored;

/// <summary>A certificate that is to be read from the store. Claimed and released under the queue's lock.</summary>
internal sealed class UnreadCertificate(ManagedCertificate certificate)
{
    private readonly TaskCompletionSource _looked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _claimed;

    public ManagedCertificate Certificate { get; } = certificate;

    public IReadOnlyList<string> Names { get; } = [.. certificate.Specification.Identifiers.Select(i => i.Value)];

    /// <summary>How often it could not be read.</summary>
    public int Failures { get; private set; }

    /// <summary>Ends when it was looked for once, with or without success.</summary>
    public Task Looked => _looked.Task;

    /// <summary>Whether the caller is the one to read it now.</summary>
    public bool TryClaim() => !_claimed && (_claimed = true);

    /// <summary>Lets somebody else try again.</summary>
    public void Release()
    {
        Failures++;
        _claimed = false;
    }

    public void EndLook() => _looked.TrySetResult();
}
