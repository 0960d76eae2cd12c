using System.Security.Cryptography;

namespace KestrelAcme.LocalAuthority.Certificates;

/// <summary>Random serial numbers of 16 bytes: about half have their first bit set, so that clients meet the leading 00 of DER.</summary>
internal static class SerialNumber
{
    public static byte[] Create()
    {
        var serial = RandomNumberGenerator.GetBytes(16);
        if (serial[0] == 0)
        {
            serial[0] = 1;
        }

        return serial;
    }
}
