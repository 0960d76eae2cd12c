using System.Security.Cryptography;
using KestrelAcme.LocalAuthority.Jose;

namespace KestrelAcme.LocalAuthority.Requests;

/// <summary>Ids that say nothing and cannot be guessed: a client must treat every URL as opaque.</summary>
internal static class ResourceId
{
    public static string Create() => Base64UrlText.Encode(RandomNumberGenerator.GetBytes(12));
}
