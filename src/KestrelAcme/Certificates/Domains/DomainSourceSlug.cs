using System.Security.Cryptography;
using System.Text;

namespace KestrelAcme.Certificates.Domains;

/// <summary>Names a domain source for the store, by its type. Pure.</summary>
internal static class DomainSourceSlug
{
    private const int MaxLength = 100;

    /// <param name="type">The source's type.</param>
    /// <param name="number">Which one of that type it is, from 1.</param>
    public static string Of(Type type, int number)
    {
        var name = type.FullName ?? type.Name;
        var slug = string.Concat(type.Name.Select(c => char.IsAsciiLetterOrDigit(c) ? char.ToLowerInvariant(c) : '-').Take(MaxLength));
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)).AsSpan(0, 4));
        return number == 1 ? $"{slug}-{hash}" : $"{slug}-{hash}-{number}";
    }
}
