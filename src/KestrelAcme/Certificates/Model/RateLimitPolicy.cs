using KestrelAcme.Configuration.Names;

namespace KestrelAcme.Certificates.Model;

/// <summary>
/// Tells whom a refused order holds up: its own name, until unrelated names are refused one after the other (see <see cref="OrderTrust"/>). Pure.
/// </summary>
internal static class RateLimitPolicy
{
    /// <summary>How many unrelated names, refused in a row, raise the doubt that the limit is the account's.</summary>
    public const int NamesOfAnAccount = 3;

    /// <summary>How long they may be apart, and the longest time for which orders for new names are held by such a guess.</summary>
    public static TimeSpan Window { get; } = TimeSpan.FromMinutes(15);

    /// <summary>What names that share a limit have in common: the last two labels. Where a registered domain has three, unrelated names are taken for related, which holds up nobody.</summary>
    public static string FamilyOf(CertificateIdentifier name)
        => name.Kind == IdentifierKind.Ip ? name.Value : string.Join('.', name.BaseValue.Split('.').TakeLast(2));

    /// <summary>How long an account is held that is probably at its limit. The authority's own wait may be that of one name.</summary>
    public static TimeSpan HoldOfAccount(TimeSpan? asked) => asked < Window && asked > TimeSpan.Zero ? asked.Value : Window;
}
