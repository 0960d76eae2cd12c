using System.Text.Json;
using KestrelAcme.LocalAuthority.Requests;

namespace KestrelAcme.LocalAuthority.Revocation;

/// <summary>Stores revocations, in a file if there is a folder. Thread-safe.</summary>
internal sealed class RevocationLedger
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, RevokedCertificate> _bySerial = new(StringComparer.Ordinal);
    private readonly string? _path;
    private long _crlNumber;

    public RevocationLedger(string? path)
    {
        _path = path;
        Merge();
    }

    public RevokedCertificate? Find(string serial)
    {
        lock (_gate)
        {
            return _bySerial.GetValueOrDefault(serial);
        }
    }

    public IReadOnlyList<RevokedCertificate> Snapshot()
    {
        lock (_gate)
        {
            return [.. _bySerial.Values.OrderBy(r => r.RevokedAt)];
        }
    }

    /// <summary>Adds a revocation. Returns false if the certificate is already revoked.</summary>
    public bool TryAdd(RevokedCertificate revoked)
    {
        lock (_gate)
        {
            Merge();
            if (!_bySerial.TryAdd(revoked.SerialNumber, revoked))
            {
                return false;
            }

            Save();
            return true;
        }
    }

    /// <summary>
    /// Returns a number above all earlier ones, including those of earlier runs and of other processes with the same
    /// folder.
    /// </summary>
    public long NextCrlNumber(DateTimeOffset now)
    {
        lock (_gate)
        {
            Merge();
            _crlNumber = Math.Max(_crlNumber + 1, now.ToUnixTimeMilliseconds());
            Save();
            return _crlNumber;
        }
    }

    private void Merge()
    {
        if (_path is null || !File.Exists(_path))
        {
            return;
        }

        RevocationFile? file;
        try
        {
            file = JsonSerializer.Deserialize(File.ReadAllBytes(_path), AuthorityJson.Default.RevocationFile);
        }
        catch (JsonException e)
        {
            throw new InvalidOperationException(
                $"The local authority cannot read '{_path}'. Delete it to forget earlier revocations.", e);
        }

        _crlNumber = Math.Max(_crlNumber, file?.CrlNumber ?? 0);
        foreach (var revoked in file?.Revoked ?? [])
        {
            _bySerial.TryAdd(revoked.SerialNumber, revoked);
        }
    }

    private void Save()
    {
        if (_path is null)
        {
            return;
        }

        var file = new RevocationFile { CrlNumber = _crlNumber, Revoked = [.. _bySerial.Values] };
        var temporary = $"{_path}.{ResourceId.Create()}.tmp";
        File.WriteAllBytes(temporary, JsonSerializer.SerializeToUtf8Bytes(file, AuthorityJson.Default.RevocationFile));
        File.Move(temporary, _path, overwrite: true);
    }
}

/// <summary>The JSON of the revocations file.</summary>
internal sealed record RevocationFile
{
    public long CrlNumber { get; init; }

    public IReadOnlyList<RevokedCertificate> Revoked { get; init; } = [];
}
