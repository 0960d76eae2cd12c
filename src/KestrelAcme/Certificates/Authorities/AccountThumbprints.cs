using KestrelAcme.Challenges;
using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Certificates.Authorities;

/// <summary>The accounts of this instance at the configured CAs and their staging services, for challenges that others ordered.</summary>
internal sealed class AccountThumbprints(AuthorityRegistry registry, ConfigurationSource configuration) : IAccountThumbprints
{
    public string? Find(Uri directoryUrl)
        => registry.Find(directoryUrl)?.Accounts.Key.Thumbprint;

    public async ValueTask<string?> LoadAsync(Uri? directoryUrl, Func<string, bool> suits, CancellationToken cancellationToken)
    {
        foreach (var specification in Specifications().Where(s => directoryUrl is null || s.DirectoryUrl == directoryUrl))
        {
            var key = registry.Get(specification).Accounts.Key;
            var thumbprint = await key.LoadAsync(suits, cancellationToken);
            if (thumbprint is not null && (directoryUrl is not null || suits(thumbprint)))
            {
                return thumbprint;
            }
        }

        return null;
    }

    private IEnumerable<AuthoritySpecification> Specifications()
    {
        foreach (var authority in configuration.Current.Authorities)
        {
            yield return authority;
            if (authority.StagingTwin is not null)
            {
                yield return authority.Twin();
            }
        }
    }
}
