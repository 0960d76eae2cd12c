
namespace KestrelAcme.Certificates.Model;

/// <summary>A random number from 0 up to, but not including, 1. Tests hand in their own.</summary>
internal delegate double JitterSource();
