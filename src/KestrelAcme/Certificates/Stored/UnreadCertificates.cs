using KestrelAcme.Certificates.Model;

namespace KestrelAcme.Certificates.Stored;

/// <summary>The certificates that have not been read yet, in order and by name. Not safe for concurrent use.</summary>
internal sealed class UnreadCertificates
{
    private readonly Queue<UnreadCertificate> _order = new();
    private readonly Dictionary<string, List<UnreadCertificate>> _byName = new(StringComparer.Ordinal);

    public bool IsEmpty => _byName.Count == 0;

    public void Add(List<UnreadCertificate> certificates)
    {
        _order.EnsureCapacity(_order.Count + certificates.Count);
        _byName.EnsureCapacity(_byName.Count + certificates.Count);
        certificates.ForEach(Add);
    }

    public void Remove(UnreadCertificate certificate)
    {
        foreach (var name in certificate.Names)
        {
            if (_byName.TryGetValue(name, out var certificates) && certificates.Remove(certificate) && certificates.Count == 0)
            {
                _byName.Remove(name);
            }
        }

        if (_byName.Count == 0)
        {
            // Does not keep room for ten thousand.
            _byName.TrimExcess();
            _order.TrimExcess();
        }
    }

    /// <summary>Claims the next certificates.</summary>
    public List<UnreadCertificate> Next(int most)
    {
        var batch = new List<UnreadCertificate>(most);
        while (batch.Count < most && _order.TryDequeue(out var certificate))
        {
            if (certificate.TryClaim())
            {
                batch.Add(certificate);
            }
        }

        return batch;
    }

    /// <summary>All certificates that cover a name, exactly or by a wildcard.</summary>
    public List<UnreadCertificate> Find(string name)
    {
        var dot = name.IndexOf('.', StringComparison.Ordinal);
        return [.. _byName.GetValueOrDefault(name, []), .. dot > 0 ? _byName.GetValueOrDefault($"*{name[dot..]}", []) : []];
    }

    private void Add(UnreadCertificate certificate)
    {
        _order.Enqueue(certificate);
        foreach (var name in certificate.Names)
        {
            if (!_byName.TryGetValue(name, out var certificates))
            {
                _byName[name] = certificates = new(1);
            }

            certificates.Add(certificate);
        }
    }
}

/// <summary>A certificate that has not been read yet. Claimed and released under the queue's lock.</summary>
internal sealed class UnreadCertificate(ManagedCertificate certificate)
{
    private readonly TaskCompletionSource _looked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _claimed;

    public ManagedCertificate Certificate { get; } = certificate;

    public IReadOnlyList<string> Names { get; } = [.. certificate.Specification.Identifiers.Select(i => i.Value)];

    /// <summary>The number of failed reads.</summary>
    public int Failures { get; private set; }

    /// <summary>Completes when the store was asked for it once, with or without success.</summary>
    public Task Looked => _looked.Task;

    /// <summary>Returns whether the caller is to read it now.</summary>
    public bool TryClaim() => !_claimed && (_claimed = true);

    /// <summary>Allows another attempt.</summary>
    public void Release()
    {
        Failures++;
        _claimed = false;
    }

    public void EndLook() => _looked.TrySetResult();
}
